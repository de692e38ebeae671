// Kills the daemon again and again and compares what is left with what was promised. Whatever is random comes
// from the seed; the moment of a kill, and how the threads interleave, does not, so a failure may take a few
// tries to come again.
//
//   torture [--rounds N] [--seed S] [--bin-dir DIR] [--no-faults] [--sweep FIRST]
//
// Without --sweep about half of the rounds end with kill -9 at a random moment, the others at, or live
// through, a fault at some I/O call. With it each round has a fault point, at the calls from FIRST on in
// turn, in each mode.

#include "torture/round.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coordination::torture;
using namespace std::chrono_literals;

struct Options {
    int rounds = 200;
    std::uint64_t seed = std::random_device{}();
    bool faults = true;
    int sweep_from = 0; ///< 0: no sweep
};

constexpr std::array<const char*, 6> fault_modes{"before", "after", "torn", "eio", "enospc", "short"};

[[noreturn]] void usage(const std::string& problem)
{
    fmt::print(
        stderr,
        "torture: {}\nusage: torture [--rounds N] [--seed S] [--bin-dir DIR] [--no-faults] [--sweep FIRST]\n",
        problem);
    std::exit(2);
}

Options read_options(const std::vector<std::string>& words)
{
    Options options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto value = [&] {
            return i + 1 < words.size() ? words[++i] : (usage(words[i] + " needs a value"), "");
        };
        if (words[i] == "--rounds")
            options.rounds = std::atoi(value().c_str());
        else if (words[i] == "--seed")
            options.seed = std::strtoull(value().c_str(), nullptr, 10);
        else if (words[i] == "--bin-dir")
            ::setenv("COORD_BIN_DIR", value().c_str(), 1);
        else if (words[i] == "--no-faults")
            options.faults = false;
        else if (words[i] == "--sweep")
            options.sweep_from = std::atoi(value().c_str());
        else
            usage("what is " + words[i] + "?");
    }
    return options;
}

Plan plan_of(const Options& options, int round)
{
    std::mt19937_64 random(options.seed * 1'000'003 + static_cast<unsigned>(round));
    const auto any = [&random](int from, int to) {
        return std::uniform_int_distribution<int>(from, to)(random);
    };
    Plan plan{
        .name = "r" + std::to_string(round), .seed = random(), .persistence = "write-ahead-log", .fault = {}};
    const int kind = any(0, 9);
    if (kind >= 8)
        plan.persistence = "periodic-snapshot";
    else if (kind >= 6)
        plan.sync_interval = std::chrono::milliseconds(any(0, 1) == 0 ? 20 : 1000);
    if (!plan.log() || any(0, 2) == 0)
        plan.snapshot_interval = 100ms;
    plan.duration = std::chrono::milliseconds(any(30, 900));
    if (options.sweep_from > 0) {
        const auto modes = static_cast<int>(fault_modes.size());
        plan.fault = Fault{.mode = fault_modes[static_cast<std::size_t>(round % modes)],
                           .call = options.sweep_from + round / modes,
                           .span = 1};
        plan.duration = 600ms;
    } else if (options.faults && any(0, 1) == 0) {
        plan.fault = Fault{.mode = fault_modes[static_cast<std::size_t>(any(0, 5))],
                           .call = any(0, 1) == 0 ? any(1, 40) : any(41, 400),
                           .span = any(0, 2) == 0 ? any(2, 6) : 1};
        plan.duration = 900ms;
    }
    return plan;
}

void report_failure(const Rounds& rounds, const Options& options, int round, const Plan& plan,
                    const std::vector<std::string>& violations)
{
    fmt::print("round {}: {}\n", round, plan.text());
    for (std::size_t i = 0; i < violations.size() && i < 20; ++i)
        fmt::print("  {}\n", violations[i]);
    if (violations.size() > 20)
        fmt::print("  and {} more\n", violations.size() - 20);
    const auto kept =
        std::filesystem::temp_directory_path() / fmt::format("torture-{}-{}", options.seed, round);
    std::filesystem::remove_all(kept);
    std::filesystem::copy(rounds.crashed(), kept, std::filesystem::copy_options::recursive);
    fmt::print("as the last kill left it: {}\nagain: torture --seed {} --rounds {}{}{}\n", kept.string(),
               options.seed, round + 1, options.faults ? "" : " --no-faults",
               options.sweep_from > 0 ? fmt::format(" --sweep {}", options.sweep_from) : "");
}

void report(const Tally& tally, const Options& options, std::chrono::steady_clock::duration took)
{
    std::string acknowledged;
    for (const auto& [level, count] : tally.acknowledged)
        acknowledged += fmt::format("{}{} {}", acknowledged.empty() ? "" : ", ", level, count);
    std::uint64_t points = 0;
    std::string faults;
    for (const auto& [name, count] : tally.faults) {
        points += count;
        faults += fmt::format("{}{} {}", faults.empty() ? "" : ", ", name, count);
    }
    fmt::print("fault points: {}\n", faults.empty() ? "none" : faults);
    fmt::print(
        "torture: {} rounds clean, seed {}, {:.0f} s: acknowledged {}; refused {} ({} STORAGE_FAILED); "
        "{} changes followed; {} states compared whole; {} starts, {} ended by a fault; {} fault points "
        "reached\n",
        options.rounds, options.seed, std::chrono::duration<double>(took).count(), acknowledged,
        tally.refused, tally.storage_failures, tally.changes, tally.exact, tally.starts,
        tally.starts_that_failed, points);
}

int torture(const Options& options)
{
    fmt::print("torture: seed {}\n", options.seed);
    const auto began = std::chrono::steady_clock::now();
    Rounds rounds;
    Plan last;
    for (int round = 0; round <= options.rounds; ++round) {
        const auto plan = plan_of(options, round);
        const auto violations = round < options.rounds ? rounds.run(plan) : rounds.finish();
        if (!violations.empty()) {
            fmt::print("the round before: {}\n", last.text());
            report_failure(rounds, options, round, plan, violations);
            return 1;
        }
        last = plan;
        std::fflush(stdout);
    }
    report(rounds.tally(), options, std::chrono::steady_clock::now() - began);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return torture(read_options({argv + 1, argv + argc}));
    } catch (const std::exception& error) {
        fmt::print("torture: {}\n", error.what());
        return 1;
    }
}
