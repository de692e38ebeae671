#pragma once

#include "core/bus/mailbox.hpp"
#include "core/bus/topic_index.hpp"
#include "core/commands/commands.hpp"
#include "core/histogram.hpp"
#include "core/limits.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace coordination {

/// What the bus has done since the start.
struct BusCounters {
    std::uint64_t received = 0; ///< messages that were published
    std::uint64_t sent = 0;     ///< handed to a connection, each try
    std::uint64_t retried = 0;  ///< of these, not for the first time
    std::uint64_t delivered =
        0; ///< acknowledged by a receiver; sent to it, where that is all that was promised
    std::uint64_t dropped = 0; ///< never to be sent again, and no dead letter left of them
    std::uint64_t buried = 0;  ///< became dead letters
    Histogram latency_us;      ///< from publication to the first try; the clock has milliseconds
};

/// What it has to do, counted when asked.
struct BusGauges {
    std::array<std::size_t, priority_count> waiting{}; ///< deliveries, by the priority of their message
    std::size_t in_flight = 0;
    std::size_t sockets = 0; ///< connections that subscribed without being a worker
    std::size_t socket_topics = 0;
};

/// Delivers messages: who has still to get what, what goes next to whom, what was not acknowledged in time.
/// Knows only what may be told, that is, what is as durable as was promised; what follows for the state (a
/// dead letter) it asks for, as a command. How often something was tried is known here alone: a restart
/// begins to count anew.
///
/// Bounds   `in_flight_max` messages to one receiver that it has not acknowledged. What may be lost is kept
///          for one receiver up to a tenth of the queue's bounds (at least 1000 messages and 8 MiB), then the
///          oldest goes and is counted; a connection that is no worker's and lets so much else gather is
///          overfull().
/// Threads  One: the store's strand.
class PostOffice {
public:
    explicit PostOffice(const Limits& limits) noexcept : limits_(limits) {}

    /// After recovery: all that the state has to deliver.
    void resume(StateStore& store);

    void open(SessionId session) { connections_.emplace(session, Connection{}); }
    void close(SessionId session);
    void post(const PostPtr& post);
    /// A command that went well, over this connection, and what it changed. False: it means nothing here.
    bool learn(const Command& command, const Outcome& outcome, SessionId session,
               std::span<const Change> changes, const StateStore& state);

    // What is to be done.
    struct Handout {
        PostPtr post;
        std::uint32_t attempt = 1;
        bool shared = false; ///< others get it too
    };
    /// The connection to serve next; none: there is nothing to send, or nobody can take it.
    std::optional<SessionId> ready() const noexcept;
    /// What goes to it next; none: nothing now, and it is not ready() any more.
    std::optional<Handout> next(SessionId session, Timestamp now);
    /// It can take no more now, until wake().
    void rest(SessionId session);
    void wake(SessionId session);
    /// Others first.
    void yield(SessionId session);
    /// Connections to be cut off, once each.
    std::vector<SessionId> take_overfull() { return std::exchange(overfull_, {}); }

    /// Lets time pass: what was not acknowledged waits again, what may be lost and has expired is dropped; at
    /// most `most` are to be buried, and asked for again until they are.
    std::vector<BuryMessage> due(Timestamp now, std::size_t most);
    std::optional<Timestamp> next_due() const noexcept;

    /// Of the connection's own subscription.
    std::size_t topics_of(SessionId session) const;
    const BusCounters& counters() const noexcept { return counters_; }
    BusGauges gauges() const;
    std::size_t letters() const noexcept { return letters_.size(); }

private:
    using MailboxId = std::uint64_t;
    struct Connection {
        MailboxId own = 0; ///< where it has subscribed before it spoke for a worker, or never does; 0: none
        MailboxId worker = 0;
        std::set<std::string, std::less<>> topics;
        bool resting = false;
        bool ready = false; ///< it is among ready_
    };
    struct Posted {
        PostPtr post;
        std::vector<MailboxId> at; ///< all that had to get it
        std::size_t left = 0;      ///< of these, still
        Timestamp expires{};
    };

    /// The worker is registered. It speaks over this connection from now on (0: over none), and over no
    /// other.
    void connect(SessionId session, const WorkerId& worker, bool wants_letters);
    /// Its topics are its row's; only whether dead letters are among them matters here.
    void want_letters(const WorkerId& worker, bool wanted);
    /// The worker was unregistered.
    void forget(const WorkerId& worker);
    void subscribe(SessionId session, const MessageTopics& topics);
    void unsubscribe(SessionId session, const std::optional<MessageTopics>& topics);
    void acknowledge(SessionId session, const WorkerId& worker, const MessageId& id);
    /// As it was asked for by due().
    void buried(const BuryMessage& command, std::size_t lost);
    void follow_letters(std::span<const Change> changes);
    void add_letter(const BusMessage& letter);
    void remove_letter(const MessageId& id);

    MailboxId mailbox_of(const WorkerId& worker);
    Mailbox* find(MailboxId id) noexcept;
    void tidy(MailboxId id);
    void return_flights(MailboxId id, Mailbox& mailbox);
    void drop_letters_from(Mailbox& mailbox);
    void put_letters_into(MailboxId id, Mailbox& mailbox);
    void put(PostNumber number, Posted& posted, MailboxId id);
    void keep_within_bounds(MailboxId id, Mailbox& mailbox);
    void settle(MailboxId id, PostNumber number);
    bool erase(MailboxId id, PostNumber number);
    void forget_post(PostNumber number);
    Handout hand_out(MailboxId id, PostNumber number, Timestamp now);
    void fly(MailboxId id, PostNumber number, Timestamp due);
    void stir(SessionId session);
    void unready(SessionId session);

    void bury_gone(Timestamp now, std::size_t most, std::vector<BuryMessage>& burials);
    void return_overdue(Timestamp now, std::size_t most, std::vector<BuryMessage>& burials);
    void end_expired(Timestamp now, std::size_t most, std::vector<BuryMessage>& burials);
    BuryMessage burial_for_all(PostNumber number, const Posted& posted);
    static BuryMessage burial(const Mailbox& mailbox, PostPtr post, std::string_view reason);

    const Limits& limits_;
    BusCounters counters_;
    PostNumber last_number_ = 0;
    MailboxId last_mailbox_ = 0;
    std::unordered_map<MailboxId, Mailbox> mailboxes_;
    std::unordered_map<std::string_view, MailboxId> by_worker_; ///< keys are in the mailboxes
    std::unordered_map<SessionId, Connection> connections_;
    TopicIndex<SessionId> topics_;
    std::unordered_map<PostNumber, Posted> posted_;
    std::unordered_multimap<std::string_view, PostNumber>
        by_id_; ///< those that are acknowledged; keys likewise
    std::map<PostNumber, PostPtr> letters_;
    std::set<std::tuple<Timestamp, PostNumber, MailboxId>> flights_; ///< by when they are overdue
    std::set<std::pair<Timestamp, PostNumber>> expiries_;
    std::deque<MailboxId> gone_;
    std::set<MailboxId> letter_boxes_; ///< connected ones that want dead letters
    std::deque<SessionId> ready_;
    std::vector<SessionId> overfull_;
};

} // namespace coordination
