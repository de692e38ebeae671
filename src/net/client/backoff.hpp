#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace coordination::net_client {

/// How long to wait before the next try: twice as long as before up to a bound, and of that a random part, so
/// that a fleet whose daemon was restarted does not come back all at once.
class ReconnectBackoff {
public:
    using Duration = std::chrono::milliseconds;

    /// `least` is the part of the bound that is always waited: 0 spreads a fleet most, 0.5 never is 0.
    explicit ReconnectBackoff(Duration first = Duration{200}, Duration longest = Duration{10'000}, double least = 0.5)
        : first_(first),
          longest_(std::max(first, longest)),
          bound_(first),
          least_(least),
          random_(std::random_device{}())
    {
    }

    /// `cap` holds down this wait's bound, not those that follow.
    Duration next(Duration cap = Duration::max())
    {
        const auto bound = std::min(bound_, cap).count();
        bound_ = std::min(bound_ * 2, longest_);
        const auto least = static_cast<Duration::rep>(static_cast<double>(bound) * least_);
        std::uniform_int_distribution<Duration::rep> part(least, bound);
        return Duration{part(random_)};
    }

    void reset() { bound_ = first_; }

private:
    Duration first_;
    Duration longest_;
    Duration bound_;
    double least_;
    std::mt19937_64 random_;
};

} // namespace coordination::net_client
