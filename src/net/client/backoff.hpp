#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace coordination {

/// How long to wait before the next try: twice as long as before up to a bound, and of that a random part, so
/// that a fleet whose daemon was restarted does not come back all at once.
class Backoff {
public:
    explicit Backoff(std::chrono::milliseconds first = std::chrono::milliseconds{200},
                     std::chrono::milliseconds longest = std::chrono::milliseconds{10'000})
        : first_(first),
          longest_(longest),
          bound_(first),
          random_(std::random_device{}())
    {
    }

    /// From half the bound to the bound: never at once, never all together.
    std::chrono::milliseconds next()
    {
        const auto bound = bound_;
        bound_ = std::min(bound_ * 2, longest_);
        std::uniform_int_distribution<std::chrono::milliseconds::rep> part(bound.count() / 2, bound.count());
        return std::chrono::milliseconds{part(random_)};
    }

    void reset() { bound_ = first_; }

private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds longest_;
    std::chrono::milliseconds bound_;
    std::mt19937_64 random_;
};

} // namespace coordination
