#include "cli/preflight.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace coordination;
using namespace coordination::cli;
namespace fs = std::filesystem;

namespace {

class Folder {
public:
    Folder()
    {
        std::string name = (fs::temp_directory_path() / "coordination-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()));
        path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream{path_ / name} << text;
        return *this / name;
    }

private:
    fs::path path_;
};

/// To root every mode is open: so root steps down for as long as this lives.
class Unprivileged {
public:
    Unprivileged() { REQUIRE((before_ != 0 || ::seteuid(nobody) == 0)); }
    ~Unprivileged() { static_cast<void>(::seteuid(before_)); }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

private:
    static constexpr uid_t nobody = 65534;
    uid_t before_ = ::geteuid();
};

Config config_of(const Texts& flags)
{
    auto config = settle(flags, {});
    REQUIRE(config);
    return *config;
}

std::string refusal(const Texts& flags, const Texts& environment = {})
{
    auto config = settle(flags, environment);
    REQUIRE(config);
    const auto error = preflight(*config);
    if (!error)
        return "not refused";
    CHECK(error->line.find('\n') == std::string::npos);
    return error->line;
}

} // namespace

TEST_CASE("a snapshot may go where its folder exists or can be created, and nothing is created yet")
{
    const Folder folder;
    CHECK(refusal({{"snapshot-path", folder / "state.json"}}) == "not refused");
    CHECK(refusal({{"snapshot-path", folder / "deep/er/state.json"}}) == "not refused");
    CHECK_FALSE(fs::exists(folder / "deep"));
    CHECK(refusal({{"snapshot-path", folder.write("old.json", "{}")}}) == "not refused");
}

TEST_CASE("a path that cannot be written is refused, with what to do")
{
    const Folder folder;
    const auto file = folder.write("file", "");
    CHECK(refusal({{"snapshot-path", file + "/state.json"}}) ==
          "--snapshot-path: cannot write '" + file + "/state.json': '" + file +
              "' is not a directory; name a path in one");
    fs::create_directory(folder / "folder");
    CHECK_THAT(refusal({}, {{"COORDINATION_SNAPSHOT_PATH", folder / "folder"}}),
               Catch::StartsWith("COORDINATION_SNAPSHOT_PATH: ") && Catch::EndsWith("name a file in it"));
}

TEST_CASE("a path that this user may not write is refused")
{
    const Folder folder;
    const auto file = folder.write("file", "");
    fs::create_directory(folder / "folder");
    REQUIRE(::chmod((folder / "").c_str(), 0755) == 0);
    REQUIRE(::chmod((folder / "folder").c_str(), 0555) == 0);
    REQUIRE(::chmod(file.c_str(), 0444) == 0);

    const Unprivileged user;
    CHECK_THAT(refusal({{"snapshot-path", folder / "folder/new/state.json"}}),
               Catch::Contains("directory '" + (folder / "folder") +
                               "': Permission denied; change its owner or mode"));
    CHECK_THAT(refusal({{"snapshot-path", file}}),
               Catch::Contains("': Permission denied; change its owner or mode"));
}

TEST_CASE("a path that the strategy does not use is not looked at")
{
    CHECK(refusal({{"persistence", "memory-only"}, {"snapshot-path", "/dev/null/state.json"}}) ==
          "not refused");
}

TEST_CASE("the write-ahead log needs a place for the log and for its snapshots")
{
    const Folder folder;
    CHECK(refusal({{"persistence", "write-ahead-log"},
                   {"snapshot-path", folder / "s.json"},
                   {"wal-path", folder / "wal.log"}}) == "not refused");
    CHECK_THAT(refusal({{"persistence", "write-ahead-log"},
                        {"snapshot-path", folder / "s.json"},
                        {"wal-path", "/dev/null/wal.log"}}),
               Catch::StartsWith("--wal-path: cannot write"));
    CHECK_THAT(refusal({{"persistence", "write-ahead-log"},
                        {"snapshot-path", "/dev/null/s.json"},
                        {"wal-path", folder / "wal.log"}}),
               Catch::StartsWith("--snapshot-path: cannot write"));
}

TEST_CASE("the token is the token file's one word")
{
    const Folder folder;
    auto config =
        config_of({{"persistence", "memory-only"}, {"token-file", folder.write("token", "s3cret\r\n")}});
    CHECK_FALSE(preflight(config));
    CHECK(config.options.token == "s3cret");
    CHECK_THAT(describe(config), !Catch::Contains("s3cret"));
}

TEST_CASE("a token file that cannot be read or holds no token is refused")
{
    const Folder folder;
    const auto refused = [](const std::string& path) {
        return refusal({{"persistence", "memory-only"}, {"token-file", path}});
    };
    CHECK_THAT(refused(folder / "none"),
               Catch::StartsWith("--token-file: ") && Catch::Contains("No such file or directory"));
    CHECK_THAT(refused(folder / ""), Catch::Contains("cannot be read"));
    CHECK_THAT(refused(folder.write("empty", "\n")), Catch::Contains("holds no token"));
    CHECK_THAT(refused(folder.write("two", "one two\n")), Catch::Contains("one word"));
    CHECK_THAT(refused(folder.write("long", std::string(4097, 'x'))), Catch::Contains("at most 4096"));
    CHECK(refused(folder.write("most", std::string(4096, 'x'))) == "not refused");
    CHECK_THAT(refusal({{"persistence", "memory-only"}}, {{"COORDINATION_TOKEN_FILE", folder / "none"}}),
               Catch::StartsWith("COORDINATION_TOKEN_FILE: "));
}
