#pragma once

#include "core/bus/post_office.hpp"
#include "net/fan_out.hpp"
#include "net/outbox.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace coordination {

/// Brings the messages of the bus from the post office to the connections: no more than a quarter of an
/// outbox at a time, so that who reads slowly fills its mailbox, where priorities count, and not its outbox.
///
/// Threads  The store's strand.
class Dispatcher {
public:
    /// `on_strand` runs a function on the strand; `wake` is called when there is something to deliver.
    Dispatcher(const Limits& limits, FanOut::Post on_strand, std::function<void()> wake)
        : office_(limits),
          on_strand_(std::move(on_strand)),
          wake_(std::move(wake))
    {
    }

    void resume(StateStore& store) { office_.resume(store); }

    void open(SessionId session, std::shared_ptr<Outbox> outbox);
    void close(SessionId session);
    /// What was executed for a connection that speaks for no worker. False: too many topics.
    bool note_topics(SessionId session, const Command& command);
    void take_back_topics(SessionId session) { office_.take_back_topics(session); }

    // What may be told by now, in the order in which it happened.
    void post(const PostPtr& post);
    /// Any command that went well, and what it changed.
    void learn(const Command& command, const Outcome& outcome, SessionId session,
               std::span<const Change> changes);

    /// Sends some of what waits. False when there is nothing more to do before it is woken.
    bool deliver(Timestamp now);

    /// What became of the time that passed: commands to be carried out.
    std::vector<BuryMessage> due(Timestamp now);
    std::optional<Timestamp> next_due() const noexcept { return office_.next_due(); }
    /// The same while nothing can be written.
    void drop_expired(Timestamp now);
    std::optional<Timestamp> next_expiry() const noexcept { return office_.next_expiry(); }

    const PostOffice& office() const noexcept { return office_; }

private:
    void serve(SessionId session, Timestamp now, int frames_max);

    PostOffice office_;
    FanOut::Post on_strand_;
    std::function<void()> wake_;
    std::unordered_map<SessionId, std::shared_ptr<Outbox>> outboxes_;
};

} // namespace coordination
