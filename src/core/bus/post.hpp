#pragma once

#include "core/bus/message.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace coordination {

class Post;

/// What it takes that one receiver has still to get a message: its places in the post office.
inline constexpr std::size_t parcel_bytes = 200;

/// What the messages take that somebody has still to get.
struct MessageQuota {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    /// Those whose publisher chose the id, so that it can be repeated. Keys are in the posts.
    std::unordered_map<std::string_view, const Post*> named{};

    bool admits(std::size_t more_bytes, const BusLimits& limits) const noexcept
    {
        return messages < limits.queue_messages_max && bytes + more_bytes <= limits.queue_bytes_max;
    }

    struct Share {
        std::size_t messages;
        std::size_t bytes;
        bool exceeded_by(std::size_t held, std::size_t held_bytes) const noexcept
        {
            return held > messages || held_bytes > bytes;
        }
    };
    static constexpr Share least_share{1000, std::size_t{8} << 20U};
    /// How much of the queue one receiver may fill: as much as is still free, so that those that take nothing
    /// never fill it for the others, however many they are. A queue that is too small for that is not shared.
    Share share(const BusLimits& limits) const noexcept
    {
        const auto of = [](std::size_t used, std::size_t most, std::size_t least) {
            return most <= least ? most : most - std::min(used, most);
        };
        return {of(messages, limits.queue_messages_max, least_share.messages),
                of(bytes, limits.queue_bytes_max, least_share.bytes)};
    }
    /// The same of what may be lost, or waits for a connection that is no worker's: of that about a tenth at
    /// most.
    Share small_share(const BusLimits& limits) const noexcept
    {
        constexpr std::size_t part = 10;
        const auto most = share(limits);
        return {std::min(most.messages, std::max(least_share.messages, limits.queue_messages_max / part)),
                std::min(most.bytes, std::max(least_share.bytes, limits.queue_bytes_max / part))};
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
        owed_to(message.pending);
        if (guarded() && message.named)
            known_ = quota_->named.emplace(message.id.view(), this).second;
    }
    ~Post()
    {
        if (!quota_)
            return;
        --quota_->messages;
        quota_->bytes -= counted_;
        if (known_)
            quota_->named.erase(message.id.view());
    }
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    std::size_t bytes() const noexcept { return bytes_; }
    /// It is sent again until it is acknowledged.
    bool guarded() const noexcept { return message.guarantee != Guarantee::at_most_once; }
    bool is_letter() const noexcept { return message.state == MessageState::dead; }
    const MessageQuota* quota() const noexcept { return quota_.get(); }

    /// So many have still to get it.
    void owed_to(std::size_t receivers) const
    {
        receivers_ = receivers;
        count();
    }
    /// As it goes out at the first try, kept where it goes to many.
    const std::shared_ptr<const std::string>& frame() const noexcept { return frame_; }
    void keep_frame(std::shared_ptr<const std::string> frame) const
    {
        frame_ = std::move(frame);
        count();
    }

    const BusMessage message;

private:
    void count() const
    {
        if (!quota_)
            return;
        quota_->bytes -= counted_;
        counted_ = bytes_ + receivers_ * parcel_bytes + (frame_ ? frame_->size() : 0);
        quota_->bytes += counted_;
    }

    std::shared_ptr<MessageQuota> quota_;
    std::size_t bytes_;
    bool known_ = false; ///< by its name
    mutable std::size_t receivers_ = 0;
    mutable std::size_t counted_ = 0; ///< in the quota
    mutable std::shared_ptr<const std::string> frame_;
};

using PostPtr = std::shared_ptr<const Post>;

} // namespace coordination
