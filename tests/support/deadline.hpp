#pragma once

#include <algorithm>
#include <chrono>

namespace coordination::testing {

/// How long a test waits for an event that must come. Only a failing test waits that long, so it may
/// be generous: sanitizers and a loaded machine must not look like a failure.
inline constexpr std::chrono::seconds patience{20};

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
