#pragma once

#include <algorithm>
#include <chrono>

namespace coordination::testing {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

/// How long a test waits for an event that must come. Only a failing test waits that long, so it may
/// be generous: sanitizers (which take 20 s to load 200,000 tasks where others build beside them) and a loaded
/// machine must not look like a failure.
inline constexpr std::chrono::seconds patience{sanitized ? 100 : 20};

class Deadline {
public:
    explicit Deadline(std::chrono::milliseconds from_now = patience) : end_(Clock::now() + from_now) {}

    bool passed() const { return Clock::now() >= end_; }

    /// For poll(2).
    int remaining_ms() const
    {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
        return static_cast<int>(std::max<long>(0, left.count()));
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point end_;
};

} // namespace coordination::testing
