#include "core/store/policy.hpp"

#include <algorithm>
#include <array>

namespace coordination {
namespace {

constexpr std::array<std::string_view, attempt_end_count> attempt_ends{
    "failed", "timed_out", "lost", "handed_back", "cancelled", "completed", "expired"};

/// 0 to 1, evenly spread.
/// Source  splitmix64, Sebastiano Vigna, public domain.
double draw(std::uint64_t seed) noexcept
{
    seed += 0x9E3779B97F4A7C15U;
    seed = (seed ^ (seed >> 30U)) * 0xBF58476D1CE4E5B9U;
    seed = (seed ^ (seed >> 27U)) * 0x94D049BB133111EBU;
    seed ^= seed >> 31U;
    return static_cast<double>(seed >> 11U) * 0x1.0p-53;
}

} // namespace

std::chrono::milliseconds delay_of(const Backoff& backoff, std::uint32_t failures, Revision ordinal)
{
    constexpr std::uint32_t doublings_max = 40; // beyond, any base of 1 ms or more has reached any most
    auto delay = static_cast<double>(backoff.base.count());
    if (backoff.exponential && failures > 1)
        delay *= static_cast<double>(std::uint64_t{1} << std::min(failures - 1, doublings_max));
    delay = std::min(delay, static_cast<double>(backoff.most.count()));
    delay *= 1 - backoff.jitter * draw(ordinal * 1'000'003 + failures);
    return std::chrono::milliseconds(static_cast<std::int64_t>(delay));
}

std::string_view name_of(AttemptEnd how) noexcept
{
    return attempt_ends[static_cast<std::size_t>(how)];
}

std::optional<AttemptEnd> attempt_end_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(attempt_ends, name);
    if (found == attempt_ends.end())
        return std::nullopt;
    return static_cast<AttemptEnd>(found - attempt_ends.begin());
}

} // namespace coordination
