#pragma once

#include "core/commands/commands.hpp"
#include "core/error.hpp"
#include "core/store/change.hpp"
#include "net/outbox.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

namespace coordination {

/// Brings each change to everyone who follows it: written once, shared by all outboxes. Remembers the latest
/// changes, within a budget of bytes, so that a client that was away can go on where it stopped: it is sent
/// as much as its outbox takes at a time until it has caught up.
///
/// Threads  The store's strand.
class FanOut {
public:
    /// Runs a function on the strand, from any thread.
    using Post = std::function<void(std::function<void()>)>;

    FanOut(std::size_t bytes_max, Post on_strand) noexcept
        : bytes_max_(bytes_max),
          on_strand_(std::move(on_strand))
    {
    }

    /// Sends changes from now on, after those behind `since` that are remembered; replaces what
    /// the session followed before.
    void follow(SessionId session, std::shared_ptr<Outbox> outbox, const Subscription& subscription,
                std::optional<Revision> since);
    void unfollow(SessionId session);

    /// Whether all changes after `since` are remembered: else revision_compacted, or
    /// invalid_field for the future.
    tl::expected<void, Error> can_replay(Revision since, Revision present) const;

    /// Sends and remembers committed changes, oldest first; moves from `changes`.
    void publish(std::span<Change> changes);

    /// Where remembering begins: changes up to `revision` are not known.
    void start_after(Revision revision) noexcept { forgotten_ = revision; }
    std::size_t followers() const noexcept { return followers_.size(); }
    /// How many different (collection, operation) pairs are followed by somebody.
    std::size_t topics() const noexcept;

private:
    struct Follower {
        std::shared_ptr<Outbox> outbox;
        TopicMask topics;
        bool values;
        std::optional<Revision> sent; ///< while it catches up: what it was sent up to
    };

    void catch_up(SessionId session);
    tl::expected<void, Error> remembered_after(Revision since) const;

    void count(TopicMask topics, int by) noexcept;
    void remember(Change&& change);

    std::size_t bytes_max_;
    Post on_strand_;
    std::size_t bytes_ = 0;
    Revision forgotten_ = 0; ///< the latest change that is not remembered
    std::deque<Change> remembered_;
    std::unordered_map<SessionId, Follower> followers_;
    std::array<std::size_t, collection_count * operation_count> followed_{}; ///< followers by topic bit
};

} // namespace coordination
