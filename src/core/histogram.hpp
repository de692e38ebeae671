#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace coordination {

/// Counts of values in buckets whose width grows with the value, so that a percentile is told within 1/16 of
/// itself from a fixed amount of memory, however many values there were. The unit is the caller's; here:
/// microseconds.
///
/// Source   HdrHistogram's log-linear buckets, with 16 steps to each power of two.
class Histogram {
public:
    void add(std::uint64_t value) noexcept
    {
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += value;
        max_ = std::max(max_, value);
    }

    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t sum() const noexcept { return sum_; }
    std::uint64_t max() const noexcept { return max_; }
    double mean() const noexcept
    {
        return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
    }

    /// The smallest bucket bound that at least `share` (0 to 1) of the values do not exceed.
    std::uint64_t percentile(double share) const noexcept
    {
        const auto wanted = static_cast<std::uint64_t>(std::llround(share * static_cast<double>(count_)));
        std::uint64_t seen = 0;
        for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
            seen += counts_[bucket];
            if (seen >= wanted && seen > 0)
                return std::min(bound_of(bucket), max_);
        }
        return max_;
    }

    /// How many values did not exceed `bound`, to the nearest bucket.
    std::uint64_t at_most(std::uint64_t bound) const noexcept
    {
        std::uint64_t seen = 0;
        for (std::size_t bucket = 0; bucket < buckets && bound_of(bucket) <= bound; ++bucket)
            seen += counts_[bucket];
        return seen;
    }

private:
    static constexpr unsigned step_bits = 4;
    static constexpr std::size_t steps = std::size_t{1} << step_bits;
    static constexpr std::size_t buckets = (64 - step_bits + 1) * steps;

    static std::size_t bucket_of(std::uint64_t value) noexcept
    {
        if (value < steps)
            return static_cast<std::size_t>(value);
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
        return (shift + 1) * steps + static_cast<std::size_t>(value >> shift) - steps;
    }
    /// The largest value that falls into the bucket.
    static std::uint64_t bound_of(std::size_t bucket) noexcept
    {
        if (bucket < steps)
            return bucket;
        const auto shift = bucket / steps - 1;
        const std::uint64_t step = bucket % steps + steps;
        return ((step + 1) << shift) - 1;
    }

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace coordination
