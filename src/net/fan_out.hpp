#pragma once

#include "core/store/change.hpp"
#include "core/error.hpp"
#include "net/outbox.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace coordination {

/// Brings each change to everyone who follows it: written once, shared by all outboxes. Remembers the latest changes,
/// within a budget of bytes, so that a client that was away can go on where it stopped.
///
/// Threads  The store's strand.
class FanOut {
public:
    explicit FanOut(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

    void follow(SessionId session, std::shared_ptr<Outbox> outbox, TopicMask topics, bool values);
    void unfollow(SessionId session);

    /// Sends the remembered changes after `since` that `topics` names. revision_compacted where some of them are gone;
    /// invalid_field where `since` lies in the future.
    tl::expected<void, Error> replay(Outbox& outbox, Revision since, Revision present, TopicMask topics, bool values) const;

    void publish(std::vector<Change>& changes);

    /// Where remembering begins: changes up to `revision` are not known.
    void start_after(Revision revision) noexcept { forgotten_ = revision; }
    std::size_t followers() const noexcept { return followers_.size(); }

private:
    struct Follower {
        std::shared_ptr<Outbox> outbox;
        TopicMask topics;
        bool values;
    };

    void remember(Change&& change);

    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    Revision forgotten_ = 0; ///< the latest change that is not remembered
    std::deque<Change> remembered_;
    std::unordered_map<SessionId, Follower> followers_;
};

} // namespace coordination
