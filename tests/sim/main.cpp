// Random lives of the engine, each checked after every step.
//
//   sim [--seeds N] [--seed S] [--steps K]      N lives from seed 1 on, or the one of seed S

#include "sim/simulation.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

bool survives(std::uint64_t seed, int steps)
{
    try {
        coordination::sim::Simulation(seed).run(steps);
        return true;
    } catch (const coordination::sim::Violation& violation) {
        fmt::print(stderr, "seed {}: {}\nrepeat it with: sim --seed {} --steps {}\n", seed, violation.what(),
                   seed, steps);
        return false;
    }
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t first = 1;
    std::uint64_t count = 100;
    int steps = 150;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view flag = argv[i];
        const auto value = std::strtoull(argv[i + 1], nullptr, 10);
        if (flag == "--seeds")
            count = value;
        else if (flag == "--steps")
            steps = static_cast<int>(value);
        else if (flag == "--seed") {
            first = value;
            count = 1;
        }
    }
    std::uint64_t failed = 0;
    for (auto seed = first; seed < first + count; ++seed)
        failed += survives(seed, steps) ? 0 : 1;
    fmt::print("{} passed, {} failed\n", count - failed, failed);
    return failed == 0 ? 0 : 1;
}
