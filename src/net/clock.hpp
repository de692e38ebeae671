#pragma once

#include "core/types.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace coordination {

/// What has to be done at certain times of a clock that does not go by itself.
///
/// Threads  Any.
class DueWork {
public:
    /// Told when something is due next; none: nothing is.
    using Done = std::function<void(std::optional<Timestamp>)>;

    virtual ~DueWork() = default;
    /// Does all that is due by now, then calls `done`, on any thread.
    virtual void catch_up(Done done) = 0;
};

/// Where the daemon gets its time from, so that tests and embedders can bring their own.
///
/// Threads  Any.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Timestamp now() const noexcept = 0;
    /// Asks the clock to have `work` caught up whenever it is set forward. False, as for every clock that goes by
    /// itself: it will not, so the work sets timers, which run in real time.
    virtual bool drives(std::weak_ptr<DueWork> /*work*/) { return false; }
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
