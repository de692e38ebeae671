#include "core/histogram.hpp"
#include "core/random_calls.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace coordination;

TEST_CASE("a histogram without values tells zeros", "[histogram]")
{
    const Histogram histogram;
    CHECK(histogram.count() == 0);
    CHECK(histogram.mean() == 0);
    CHECK(histogram.percentile(0.99) == 0);
    CHECK(histogram.at_most(100) == 0);
}

TEST_CASE("small values and the largest one are told exactly", "[histogram]")
{
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 15; ++value)
        histogram.add(value);
    CHECK(histogram.percentile(0.5) == 8);
    CHECK(histogram.percentile(1) == 15);
    CHECK(histogram.at_most(7) == 7);
    CHECK(histogram.mean() == Approx(8));

    histogram.add(std::numeric_limits<std::uint64_t>::max());
    CHECK(histogram.max() == std::numeric_limits<std::uint64_t>::max());
    CHECK(histogram.percentile(1) == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("a percentile is within a sixteenth of the true one", "[histogram][random]")
{
    const auto seed = testing::seed_of_run();
    INFO("COORD_SEED=" << seed);
    std::mt19937_64 random(seed);
    Histogram histogram;
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 5000; ++i) {
        const auto value = random() >> (random() % 60); // of every size
        values.push_back(value);
        histogram.add(value);
    }
    std::ranges::sort(values);
    for (const double share : {0.01, 0.5, 0.9, 0.95, 0.99, 0.999}) {
        const auto rank = static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size())));
        const auto exact = static_cast<double>(values[rank - 1]);
        const auto told = static_cast<double>(histogram.percentile(share));
        INFO("share " << share << " exact " << exact << " told " << told);
        CHECK(told >= exact * 0.999999); // as far as double tells them apart
        CHECK(told <= exact * (1 + 1.0 / 16) + 1);
    }
}
