#pragma once

#include "core/error.hpp"
#include "core/store/change.hpp"
#include "net/outbox.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>

namespace coordination {

/// Brings each change to everyone who follows it: written once, shared by all outboxes. Remembers the latest
/// changes, within a budget of bytes, so that a client that was away can go on where it stopped.
///
/// Threads  The store's strand.
class FanOut {
public:
    explicit FanOut(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

    /// Sends changes from now on; replaces what the session followed before.
    void follow(SessionId session, std::shared_ptr<Outbox> outbox, TopicMask topics, bool values);
    void unfollow(SessionId session);

    /// Whether all changes after `since` are remembered: else revision_compacted, or invalid_field for the
    /// future.
    tl::expected<void, Error> can_replay(Revision since, Revision present) const;
    /// Sends the remembered changes after `since` that `topics` names.
    void replay(Outbox& outbox, Revision since, TopicMask topics, bool values) const;

    /// Sends and remembers committed changes, oldest first; moves from `changes`. Returns how many frames
    /// were queued.
    std::size_t publish(std::span<Change> changes);

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
    };

    void count(TopicMask topics, int by) noexcept;
    void remember(Change&& change);

    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    Revision forgotten_ = 0; ///< the latest change that is not remembered
    std::deque<Change> remembered_;
    std::unordered_map<SessionId, Follower> followers_;
    std::array<std::size_t, collection_count * operation_count> followed_{}; ///< followers by topic bit
};

} // namespace coordination
