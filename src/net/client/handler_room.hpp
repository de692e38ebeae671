#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

namespace coordination::net_client {

/// How much waits for the user's handlers, so that a slow one does not fill the memory. From any thread.
///
/// Bounds   `count_max` and `bytes_max`, but for one that finds nothing waiting: it always may enter.
class HandlerRoom {
public:
    HandlerRoom(std::size_t count_max, std::size_t bytes_max) : count_max_(count_max), bytes_max_(bytes_max)
    {
    }

    /// Whether one of so many bytes may wait: it counts until leave().
    bool enter(std::size_t bytes)
    {
        const std::lock_guard lock(mutex_);
        if (count_ > 0 && (count_ >= count_max_ || bytes_ + bytes > bytes_max_)) {
            ++refused_;
            return false;
        }
        ++count_;
        bytes_ += bytes;
        return true;
    }

    /// Its handler is through. Says how many were refused, once no more than half of the room is taken again;
    /// else 0.
    std::size_t leave(std::size_t bytes)
    {
        const std::lock_guard lock(mutex_);
        --count_;
        bytes_ -= bytes;
        const bool roomy = count_ <= count_max_ / 2 && bytes_ <= bytes_max_ / 2;
        return roomy ? std::exchange(refused_, 0) : 0;
    }

    std::size_t count() const
    {
        const std::lock_guard lock(mutex_);
        return count_;
    }

private:
    std::size_t count_max_;
    std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
    std::size_t refused_ = 0; ///< since it was last said
};

} // namespace coordination::net_client
