#include "cli/ctl/cortex/export_command.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/arguments.hpp"
#include "cli/ctl/cortex/export_queue.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"

namespace coordination::ctl {

namespace {

namespace fs = std::filesystem;

tl::expected<std::optional<CortexQueue>, Failure> read_existing(const std::string& path)
{
    std::error_code error;
    if (path.empty() || !fs::exists(path, error))
        return std::nullopt;
    const auto text = read_file(path);
    if (!text)
        return tl::unexpected(wrong_usage(text.error()));
    auto queue = parse_cortex_queue(*text);
    if (!queue)
        return tl::unexpected(wrong_usage(fmt::format(
            "{} is there already and is not replaced: {}; name another file", path, queue.error())));
    return std::move(*queue);
}

bool write_all(int file, std::string_view text)
{
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// Beside the file first, so that nobody ever reads half of it.
Outcome replace_file(const std::string& path, std::string_view text)
{
    std::error_code not_a_link;
    const auto target = fs::weakly_canonical(path, not_a_link); // through a link, to what it stands for
    const auto place = not_a_link ? fs::path(path) : target;
    auto beside = place.string() + ".XXXXXX";
    const int file = ::mkstemp(beside.data());
    const auto failed = [&](const char* what) {
        const int reason = errno;
        if (file >= 0) {
            ::close(file);
            ::unlink(beside.c_str());
        }
        return tl::unexpected(
            Failure{.message = fmt::format("cannot {} {}: {}", what, path, std::strerror(reason))});
    };
    if (file < 0)
        return failed("write");
    struct stat before{};
    const mode_t mode = ::stat(place.c_str(), &before) == 0 ? before.st_mode & 07777U : 0644U;
    if (::fchmod(file, mode) != 0 || !write_all(file, text) || ::fsync(file) != 0)
        return failed("write");
    if (::rename(beside.c_str(), place.c_str()) != 0)
        return failed("replace");
    ::close(file);
    return {};
}

} // namespace

boost::asio::awaitable<Outcome> export_queue(ContextPtr context, std::string path)
{
    if (path == "-")
        path.clear();
    auto existing = read_existing(path);
    if (!existing)
        co_return tl::unexpected(existing.error());
    const auto answer = co_await get(context, "/api/tasks");
    if (!answer)
        co_return tl::unexpected(answer.error());
    const auto* tasks = find_array(*answer, "tasks");
    if (!tasks)
        co_return tl::unexpected(Failure{.message = "the daemon told no tasks"});
    const auto document = exported_queue(std::move(*existing), *tasks, std::time(nullptr));
    const auto text = pretty_json(document) + "\n";
    if (path.empty()) {
        context->out.json(text);
        co_return Outcome{};
    }
    const auto written = replace_file(path, text);
    if (!written)
        co_return written;
    const auto count = find_array(document, "tasks")->size();
    if (context->settings.json)
        context->out.json(compact_json(boost::json::object{{"file", path}, {"tasks", count}}));
    else
        context->out.line(fmt::format("{} tasks written to {}", count, path));
    co_return Outcome{};
}

} // namespace coordination::ctl
