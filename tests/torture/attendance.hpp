#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace coordination::torture {

/// How many clients are still at it, and whether they are to stop: each side waits for the other here, never
/// longer than it says.
class Attendance {
public:
    using Clock = std::chrono::steady_clock;

    void arrive()
    {
        const std::lock_guard lock(mutex_);
        ++present_;
    }

    void leave()
    {
        const std::lock_guard lock(mutex_);
        --present_;
        changed_.notify_all();
    }

    void stop()
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }

    bool stopped() const
    {
        const std::lock_guard lock(mutex_);
        return stopped_;
    }

    /// Returns when all have left, or after that time.
    void await_all_gone(Clock::duration most) const
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, most, [this] { return present_ == 0; });
    }

    /// Returns when they are to stop, or after that time.
    void await_stop(Clock::duration most) const
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, most, [this] { return stopped_; });
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    int present_ = 0;
    bool stopped_ = false;
};

} // namespace coordination::torture
