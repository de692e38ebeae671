#pragma once

#include "net/clock.hpp"
#include "net/embed/initiate.hpp"

#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace coordination {

/// A clock that stands still until it is told to go: for tests that need no sleeps. Any number of daemons may
/// share one. It rules what is due in the state (leases, delays, snapshots, …); what happens to sockets and
/// disks has its deadlines in real time.
///
/// Threads  Any; one advance() at a time.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}) noexcept
        : now_(start)
    {
    }

    Timestamp now() const noexcept override { return now_.load(); }
    bool drives(std::weak_ptr<DueWork> work) override;

    /// Goes forward, and stops at each time at which something is due. Completes, with the time that it is, when
    /// all of that has been done, is as durable as was promised, and the handlers of events have returned. Calls
    /// that were made before come first.
    template <class Token = const boost::asio::use_awaitable_t<>&>
    auto advance(std::chrono::milliseconds by, Token&& token = boost::asio::use_awaitable)
    {
        return initiate<Timestamp>(
            boost::asio::system_executor(), std::forward<Token>(token),
            [this, by](std::function<void(Timestamp)> done) { go(now() + by, std::move(done)); });
    }

private:
    using Done = std::function<void(Timestamp)>;
    class Stop;

    void go(Timestamp target, Done done);
    std::vector<std::shared_ptr<DueWork>> work();

    std::atomic<Timestamp> now_;
    std::mutex mutex_;
    std::vector<std::weak_ptr<DueWork>> work_; ///< guarded by the mutex
};

} // namespace coordination
