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
/// begins to count anew. A try that ended with its connection counts: else a message that kills its receiver
/// would come again for ever.
///
/// Bounds   `in_flight_max` messages to one receiver that it has not acknowledged. What may be lost is kept
///          for one receiver up to its small share of the queue (see MessageQuota), then the oldest goes and
///          is counted; a connection that is no worker's and lets so much else gather is overfull().
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
               std::span<const Change> changes);

    /// The topics of a connection are bounded as they are asked for, which is before this learns of them. A
    /// subscription by one that speaks for no worker was executed: false where they are too many.
    bool ask_for_topics(SessionId session, const MessageTopics& topics);
    /// Likewise the end of one.
    void give_up_topics(SessionId session, const std::optional<MessageTopics>& topics);
    /// What was executed and not learned was taken back.
    void take_back_topics(SessionId session);

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

    /// Lets time pass: what was not acknowledged waits again, what may be lost and has expired is dropped,
    /// what is to be buried is asked for again until it is. Looks at `most` deliveries, and at all of the
    /// message that the last of these belongs to.
    std::vector<BuryMessage> due(Timestamp now, std::size_t most);
    std::optional<Timestamp> next_due() const noexcept;
    /// The same where nothing can be written: so nobody can acknowledge, and no try is counted. What may be
    /// lost is dropped when it has expired.
    void drop_expired(Timestamp now, std::size_t most);
    std::optional<Timestamp> next_expiry() const noexcept;

    const BusCounters& counters() const noexcept { return counters_; }
    BusGauges gauges() const;
    std::size_t letters() const noexcept { return letters_.size(); }

private:
    using MailboxId = std::uint64_t;
    struct Connection {
        MailboxId own = 0; ///< where it has subscribed before it spoke for a worker, or never does; 0: none
        MailboxId worker = 0;
        std::set<std::string, std::less<>> topics;
        std::set<std::string, std::less<>> asked; ///< these, when all that was executed is learned
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
    void connect(SessionId session, const WorkerId& worker, std::optional<bool> wants_letters);
    /// Its topics are its row's; only whether dead letters are among them matters here.
    void want_letters(const WorkerId& worker, std::optional<bool> wanted);
    /// The worker was unregistered.
    void forget(const WorkerId& worker);
    void subscribe(SessionId session, const MessageTopics& topics);
    void unsubscribe(SessionId session, const std::optional<MessageTopics>& topics);
    void acknowledge(SessionId session, const WorkerId& worker, const MessageId& id);
    /// As it was asked for by due().
    void buried(const BuryMessage& command, std::size_t lost);
    bool follow_letters(std::span<const Change> changes);
    void add_letter(const BusMessage& letter);
    void remove_letter(const MessageId& id);

    MailboxId mailbox_of(const WorkerId& worker);
    Mailbox* find(MailboxId id) noexcept;
    void tidy(MailboxId id);
    void return_flights(MailboxId id, Mailbox& mailbox);
    void drop_letters_from(MailboxId id, Mailbox& mailbox);
    void put_letters_into(MailboxId id, Mailbox& mailbox);
    void put(PostNumber number, Posted& posted, MailboxId id);
    void abandon(MailboxId id);
    void keep_within_bounds(MailboxId id, Mailbox& mailbox, const MessageQuota& quota);
    void settle(MailboxId id, PostNumber number);
    bool erase(MailboxId id, PostNumber number);
    void forget_post(PostNumber number);
    Handout hand_out(MailboxId id, PostNumber number, Timestamp now);
    void fly(MailboxId id, PostNumber number, Timestamp due);
    void stir(SessionId session);
    void unready(SessionId session);

    using Burials = std::vector<BuryMessage>;
    static bool is_exhausted(const Parcel& parcel) noexcept
    {
        return parcel.overdue > parcel.post->message.max_retries;
    }
    void empty_gone(Timestamp now, std::size_t& budget, Burials& burials);
    void bury_one_of_gone(MailboxId id, const Mailbox& mailbox, Timestamp now, Burials& burials);
    void return_overdue(Timestamp now, std::size_t& budget, Burials& burials);
    void end_expired(Timestamp now, std::size_t& budget, Burials* burials);
    BuryMessage burial_for_all(PostNumber number, const Posted& posted);
    static void bury(const Mailbox& mailbox, const PostPtr& post, std::string_view reason, Burials& burials);
    std::optional<PostNumber> number_of(const Post& post) const;

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
    std::deque<MailboxId> gone_;       ///< of workers that were unregistered
    std::deque<MailboxId> abandoned_;  ///< of connections that do not subscribe any more
    std::set<MailboxId> letter_boxes_; ///< connected ones that want dead letters
    std::deque<SessionId> ready_;
    std::vector<SessionId> overfull_;
};

} // namespace coordination
