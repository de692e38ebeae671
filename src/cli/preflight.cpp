#include "cli/preflight.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace coordination::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t token_bytes_max = 4096;

/// errno says why not.
bool accessible(const fs::path& path, int mode)
{
    return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

std::string reason(int error)
{
    return std::generic_category().message(error);
}

/// The folder that `path` lies in, or the nearest above it that exists: there the missing
/// ones will be created.
fs::path existing_folder(const fs::path& path)
{
    std::error_code ignored;
    fs::path folder = fs::absolute(path, ignored).lexically_normal().parent_path();
    while (folder.has_relative_path() && !fs::exists(folder, ignored))
        folder = folder.parent_path();
    return folder;
}

std::optional<UsageError> unwritable(const Config& config, std::string_view setting, const std::string& path)
{
    const auto refuse = [&](const std::string& why) {
        return UsageError{fmt::format("{}: cannot write '{}': {}", origin_of(config, setting), path, why)};
    };
    std::error_code ignored;
    if (fs::is_directory(path, ignored))
        return refuse("it is a directory; name a file in it");
    if (fs::exists(path, ignored) && !accessible(path, R_OK | W_OK))
        return refuse(fmt::format("{}; change its owner or mode, or name another file", reason(errno)));

    const auto folder = existing_folder(path);
    if (!fs::is_directory(folder, ignored))
        return refuse(fmt::format("'{}' is not a directory; name a path in one", folder.string()));
    if (!accessible(folder, W_OK | X_OK))
        return refuse(fmt::format("directory '{}': {}; change its owner or mode, or name a path elsewhere",
                                  folder.string(), reason(errno)));
    return std::nullopt;
}

tl::expected<std::string, UsageError> read_token(const Config& config)
{
    const auto refuse = [&](std::string_view why) {
        return tl::unexpected(
            UsageError{fmt::format("{}: '{}' {}", origin_of(config, "token-file"), config.token_file, why)});
    };
    errno = 0;
    std::ifstream file{config.token_file, std::ios::binary};
    if (!file)
        return refuse(fmt::format("cannot be read: {}", reason(errno)));
    std::string token(token_bytes_max + 1, '\0');
    file.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad() || (!file.eof() && file.fail()))
        return refuse("cannot be read: it is no plain file");

    token.erase(token.find_last_not_of(" \t\r\n") + 1); // editors end a file with a line break
    if (token.empty())
        return refuse(
            "holds no token; write one line of text to it, `openssl rand -hex 32` makes a good one");
    // Anything else could not come back in an Authorization header.
    const bool sendable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
    if (token.size() > token_bytes_max || !sendable)
        return refuse(
            fmt::format("must hold one word of at most {} visible ASCII characters", token_bytes_max));
    return token;
}

} // namespace

std::optional<UsageError> preflight(Config& config)
{
    if (!config.token_file.empty()) {
        auto token = read_token(config);
        if (!token)
            return std::move(token).error();
        config.options.token = *std::move(token);
    }

    if (config.options.persistence == Persistence::memory_only)
        return std::nullopt;
    if (auto error = unwritable(config, "snapshot-path", config.options.snapshot_path))
        return error;
    if (config.options.persistence == Persistence::write_ahead_log)
        return unwritable(config, "wal-path", config.options.wal_path);
    return std::nullopt;
}

} // namespace coordination::cli
