#pragma once

#include "core/bus/message.hpp"
#include "core/limits.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace coordination {

/// What the messages take that somebody has still to get.
struct MessageQuota {
    std::size_t messages = 0;
    std::size_t bytes = 0;

    bool admits(std::size_t more_bytes, const BusLimits& limits) const noexcept
    {
        return messages < limits.queue_messages_max && bytes + more_bytes <= limits.queue_bytes_max;
    }
};

/// A message on its way, shared by all who have still to get it. It counts in the quota as long as it lives,
/// so that the quota cannot drift, whatever becomes of it.
///
/// Threads  The store's strand.
class Post {
public:
    /// `quota` null: it counts nowhere (dead letters have a bound of their own).
    Post(BusMessage posted, std::shared_ptr<MessageQuota> quota)
        : message(std::move(posted)),
          quota_(std::move(quota)),
          bytes_(bytes_of(message))
    {
        if (!quota_)
            return;
        ++quota_->messages;
        quota_->bytes += bytes_;
    }
    ~Post()
    {
        if (!quota_)
            return;
        --quota_->messages;
        quota_->bytes -= bytes_;
    }
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    std::size_t bytes() const noexcept { return bytes_; }
    /// It is sent again until it is acknowledged.
    bool guarded() const noexcept { return message.guarantee != Guarantee::at_most_once; }

    const BusMessage message;
    /// As it goes out at the first try, kept where it goes to many.
    mutable std::shared_ptr<const std::string> frame;

private:
    std::shared_ptr<MessageQuota> quota_;
    std::size_t bytes_;
};

using PostPtr = std::shared_ptr<const Post>;

} // namespace coordination
