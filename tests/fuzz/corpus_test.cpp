#include "fuzz/targets.hpp"

#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>

using namespace coordination::testing;

namespace {

/// Runs every input of a folder; how many there were.
int run_all(const char* folder, const std::function<void(std::string_view)>& target)
{
    int inputs = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(COORD_CORPUS_DIR) / folder)) {
        INFO(entry.path());
        target(read_file(entry.path()));
        ++inputs;
    }
    return inputs;
}

} // namespace

TEST_CASE("every log that the fuzzer found worth keeping is read without harm", "[fuzz]")
{
    CHECK(run_all("log", read_any_log) > 0);
}

TEST_CASE("all frames that the fuzzer found worth keeping are read without harm", "[fuzz]")
{
    CHECK(run_all("frames", read_any_frames) > 0);
}

TEST_CASE("every snapshot that the fuzzer found worth keeping is read without harm", "[fuzz]")
{
    CHECK(run_all("snapshot", read_any_snapshot) > 0);
}
