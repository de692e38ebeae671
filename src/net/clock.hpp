#pragma once

#include "core/types.hpp"

#include <chrono>

namespace coordination {

/// Where the daemon gets its time from, so that tests and embedders can bring their own.
///
/// Threads  Any.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Timestamp now() const noexcept = 0;
};

/// Epoch time that only goes forward, at the pace of the monotonic clock: a corrected wall clock must not
/// take the leases of a whole fleet.
class SystemClock final : public Clock {
public:
    SystemClock() noexcept;
    Timestamp now() const noexcept override;

private:
    std::chrono::system_clock::time_point wall_at_start_;
    std::chrono::steady_clock::time_point steady_at_start_;
};

} // namespace coordination
