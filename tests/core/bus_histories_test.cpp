#include "core/bus_histories.hpp"
#include "core/random_calls.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

TEST_CASE("whatever happens, each receiver gets what it was promised, or there is a dead letter",
          "[bus][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    for (std::uint64_t run = 0; run < 30; ++run) {
        INFO("run " << run);
        BusHistories histories(seed + run);
        for (int step = 0; step < 1500; ++step)
            histories.step();
        histories.settle();
    }
}
