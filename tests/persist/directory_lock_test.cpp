#include "persist/directory_lock.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/posix_disk.hpp"
#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <optional>

#include <unistd.h>

using namespace coordination;
using namespace coordination::testing;
using Catch::Matchers::Contains;

TEST_CASE("one state has one daemon, and the second is told which process has it", "[lock]")
{
    const TempDir dir;
    PosixDisk disk;
    const auto path = dir.file("data/state-snapshot.json"); // a directory that does not exist yet
    auto first = DirectoryLock::take(disk, path);
    REQUIRE(first);
    const auto second = DirectoryLock::take(disk, path);
    REQUIRE_FALSE(second);
    CHECK(second.error() == "another daemon (process " + std::to_string(::getpid()) + ") uses " + path +
                                ": stop that one, or give this one another path");
    CHECK(DirectoryLock::take(disk, dir.file("data/other.json")));

    WHEN("the first one is gone")
    {
        first = tl::unexpected(std::string("gone"));
        THEN("the next gets the lock, though its file is still there")
        {
            CHECK(std::filesystem::exists(path + ".lock"));
            CHECK(DirectoryLock::take(disk, path));
        }
    }
}

TEST_CASE("what a longer process id left in the lock file is not told", "[lock]")
{
    const TempDir dir;
    PosixDisk disk;
    const auto path = dir.file("s.json");
    write_file(path + ".lock", "99999999999\n");
    const auto held = DirectoryLock::take(disk, path);
    REQUIRE(held);
    CHECK(read_file(path + ".lock") == std::to_string(::getpid()) + "\n");
}

TEST_CASE("a lock file that tells no process still locks", "[lock]")
{
    FaultyDisk disk;
    const std::string path = "data/s.json";
    disk.fail_call(3, ENOSPC); // truncating it, on a full disk
    const auto held = DirectoryLock::take(disk, path);
    REQUIRE(held);
    const auto second = DirectoryLock::take(disk, path);
    REQUIRE_FALSE(second);
    CHECK_THAT(second.error(), Contains("another daemon uses data/s.json"));
}

TEST_CASE("a lock that the disk refuses is told", "[lock]")
{
    for (std::size_t call = 0; call < 3; ++call) {
        FaultyDisk disk;
        disk.fail_call(call, EACCES);
        const auto held = DirectoryLock::take(disk, "data/s.json");
        REQUIRE_FALSE(held);
        CHECK_THAT(held.error(), Contains("Permission denied") && Contains("another path"));
    }
}
