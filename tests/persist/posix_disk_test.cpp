#include "persist/posix_disk.hpp"
#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

TEST_CASE("a file is written, synced, read, appended to, truncated, renamed and removed", "[disk]")
{
    const TempDir dir;
    PosixDisk disk;
    const auto path = dir.file("a/b/file");
    REQUIRE(disk.make_directories(dir.file("a/b")));
    REQUIRE(disk.make_directories(dir.file("a/b/"))); // they are there
    CHECK(disk.exists(path) == false);
    {
        const auto file = disk.open(path, OpenMode::create);
        REQUIRE(file);
        REQUIRE((*file)->write("one "));
        REQUIRE((*file)->write("two"));
        REQUIRE((*file)->sync());
    }
    CHECK(read_file(path) == "one two");
    {
        const auto file = disk.open(path, OpenMode::append);
        REQUIRE(file);
        REQUIRE((*file)->write("!"));
        REQUIRE((*file)->truncate(3));
        REQUIRE((*file)->write("?"));
    }
    CHECK(disk.exists(path) == true);
    {
        const auto file = disk.open(path, OpenMode::read);
        REQUIRE(file);
        std::array<char, 3> bytes{};
        CHECK((*file)->read(bytes) == std::size_t{3});
        CHECK(std::string_view(bytes.data(), 3) == "one");
        CHECK((*file)->read(bytes) == std::size_t{1});
        CHECK((*file)->read(bytes) == std::size_t{0});
    }
    REQUIRE(disk.rename(path, dir.file("a/other")));
    REQUIRE(disk.sync_directory(dir.file("a")));
    CHECK(read_file(dir.file("a/other")) == "one?");
    REQUIRE(disk.open(dir.file("a/other"), OpenMode::create));
    CHECK(read_file(dir.file("a/other")).empty());
    REQUIRE(disk.remove(dir.file("a/other")));
    REQUIRE(disk.remove(dir.file("a/other"))); // gone already
    CHECK(disk.exists(dir.file("a/other")) == false);
}

TEST_CASE("a refusal tells the operation, the path, the reason and what to do", "[disk]")
{
    const TempDir dir;
    PosixDisk disk;
    const auto missing = disk.open(dir.file("none/file"), OpenMode::create);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ENOENT);
    CHECK(missing.error().text() ==
          "cannot open " + dir.file("none/file") + ": No such file or directory: check the path");

    const auto full = disk.open("/dev/full", OpenMode::append);
    REQUIRE(full);
    const auto written = (*full)->write("x");
    REQUIRE_FALSE(written);
    CHECK(written.error().text() ==
          "cannot write /dev/full: No space left on device: free some space on that file system");

    write_file(dir.file("file"), "");
    CHECK(disk.make_directories(dir.file("file/sub")).error().code == ENOTDIR);
    CHECK(disk.rename(dir.file("nothing"), dir.file("file")).error().code == ENOENT);
    CHECK(disk.remove(dir.path().string()).error().code == EISDIR);
    CHECK(disk.sync_directory(dir.file("file")).error().code == ENOTDIR);
    const auto directory = disk.open(dir.path().string(), OpenMode::read);
    REQUIRE(directory);
    std::array<char, 1> byte{};
    CHECK((*directory)->read(byte).error().code == EISDIR);
}

TEST_CASE("a lock is held by one open file and released with it", "[disk]")
{
    const TempDir dir;
    PosixDisk disk;
    auto first = disk.open(dir.file("lock"), OpenMode::append);
    const auto second = disk.open(dir.file("lock"), OpenMode::append);
    REQUIRE((*first)->try_lock() == true);
    CHECK((*second)->try_lock() == false);
    first->reset();
    CHECK((*second)->try_lock() == true);
}

TEST_CASE("where a file stands is told from its path", "[disk]")
{
    CHECK(directory_of("a/b/c") == "a/b");
    CHECK(directory_of("./c") == ".");
    CHECK(directory_of("c") == ".");
    CHECK(directory_of("/c") == "/");
    CHECK(directory_of("/a/c") == "/a");
}
