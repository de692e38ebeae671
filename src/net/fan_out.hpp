#pragma once

#include "core/commands/commands.hpp"
#include "core/error.hpp"
#include "core/store/change.hpp"
#include "net/coalesced_changes.hpp"
#include "net/outbox.hpp"

#include <boost/container/deque.hpp>

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace coordination {

/// Bytes of changes that are kept.
struct WatchBounds {
    std::size_t remembered; ///< for those who ask with `since`
    std::size_t waiting;    ///< for one follower, unless it wants less
};

/// Of the followers that coalesce. On the store's strand.
struct WatchCounters {
    std::uint64_t gaps = 0;   ///< told
    std::uint64_t merged = 0; ///< changes that a newer one replaced before they were sent
};

/// Brings each change to everyone who follows it: written once, shared by all outboxes. Remembers the latest
/// changes, within a budget of bytes, so that a client that was away can go on where it stopped: it is sent
/// as much as its outbox takes at a time until it has caught up.
///
/// Bounds   What waits for a follower stays within its budget. Beyond it the follower is cut off or, where it asked
///          for that, only the newest change of each key is kept for it, within a budget again. When what waited
///          has been taken, it is told of the gap and sent those, and then follows as before.
/// Threads  The store's strand.
class FanOut {
public:
    /// Runs a function on the strand, from any thread.
    using Post = std::function<void(std::function<void()>)>;

    FanOut(const WatchBounds& bounds, WatchCounters& counters, Post on_strand) noexcept
        : bounds_(bounds),
          counters_(counters),
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
        bool coalesces;
        std::size_t budget;
        std::optional<Revision> sent;         ///< while it catches up: what it was sent up to
        std::optional<CoalescedChanges> held; ///< while more waits than its budget allows
    };

    struct Remembered {
        Change change;
        std::size_t bytes; ///< counted when it came: by the time it is forgotten it is far from the processor
        Revision revision() const noexcept { return change.revision; }
    };

    void catch_up_when_taken(SessionId session);
    void catch_up(SessionId session);
    void send(SessionId session, Follower& follower, const Change& change, const Frame& frame);
    void fall_behind(SessionId session, Follower& follower);
    void hold(Follower& follower, const Change& change, Frame frame);
    void send_held(SessionId session);
    void hold_before(Revision forgotten);
    tl::expected<void, Error> remembered_after(Revision since) const;

    void count(TopicMask topics, int by) noexcept;
    void remember(Change&& change);
    void prefetch_what_goes_soon() const noexcept;

    WatchBounds bounds_;
    WatchCounters& counters_;
    Post on_strand_;
    std::size_t bytes_ = 0;
    Revision forgotten_ = 0; ///< the latest change that is not remembered
    // std::deque takes a block of memory for each: one fits into what it allocates at once.
    using Ring = boost::container::deque<Remembered, void,
                                         boost::container::deque_options_t<boost::container::block_size<64>>>;
    Ring remembered_;
    std::unordered_map<SessionId, Follower> followers_;
    std::unordered_set<SessionId> catching_up_; ///< those that may have to be sent what is forgotten next
    std::array<std::size_t, collection_count * operation_count> followed_{}; ///< followers by topic bit
};

} // namespace coordination
