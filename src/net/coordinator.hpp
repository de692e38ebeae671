#pragma once

#include "core/engine.hpp"
#include "net/clock.hpp"
#include "net/connection/turns.hpp"
#include "net/connection/waiter.hpp"
#include "net/dispatcher.hpp"
#include "net/metrics.hpp"
#include "net/outbox.hpp"
#include "net/sessions.hpp"
#include "persist/journal.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

namespace coordination {

/// What a reply may need beside the state.
struct ReplyContext {
    Timestamp now;
    Revision revision;     ///< of the last change that the call made; of the state where it made none
    Durability durability; ///< the level reached when the reply is delivered
    SessionId session;
    bool changed; ///< whether the call changed something
};

/// One call on its way through the coordinator: HTTP request, WebSocket message, embedder's call. Each front
/// end derives its own.
class Call {
public:
    virtual ~Call() = default;
    /// On the store's strand, right after the command: writes the reply from the state as it is now. Must not
    /// block, nor keep references into the state.
    virtual void render(const Result& result, const StateStore& state, const ReplyContext& context) = 0;
    /// On the store's strand, once the reply may be told (the change is as durable as promised). In
    /// the order of execution.
    virtual void deliver() = 0;
    /// From any thread: whoever called has gone, and will not hear the reply.
    virtual bool abandoned() const noexcept { return false; }
};

/// Follow the changes over this connection. Replaces what it followed before.
struct Watch {
    Subscription subscription;
    std::optional<Revision> since; ///< replay what came after it first
};

/// monostate: only look (render() is called with an empty Outcome).
using Action = std::variant<std::monostate, Command, Watch>;

/// Owns the state. Everything that must be serial happens on its strand, as plain functions; calls that
/// arrive together run together. The order is fixed: commit in memory, append to the journal, and when that
/// is as durable as was promised, reply and publish in the order of the revisions. What cannot be made so is
/// taken back, and its callers are refused: nobody ever sees an effect that a crash could take back.
///
/// Threads  submit(), attach(), detach(), read(), freeze() and stop() from any thread; the rest
///          on the strand.
class Coordinator {
public:
    Coordinator(Strand strand, const Limits& limits, const WatchBounds& watching, const Clock& clock,
                Metrics& metrics, Journal& journal);
    ~Coordinator();

    /// Hands in a call. `session` 0: none. The worker that the session registered is the caller.
    void submit(Action action, SessionId session, std::unique_ptr<Call> call);

    /// A connection that may register, subscribe and be sent things. Calls that it submits later find it.
    SessionId attach(std::shared_ptr<Outbox> outbox);
    /// It is gone: its worker is offline.
    void detach(SessionId session);

    /// Runs `look` on the strand. For reads that do not fit into one reply: in bounded slices.
    boost::asio::awaitable<void> read(std::function<void(const StateStore&)> look);
    /// The whole state at one revision. Where the last owner lets go of it does not matter.
    boost::asio::awaitable<std::shared_ptr<FrozenView>> freeze();
    /// The same, and the journal's place for it as a snapshot.
    struct Snapshot {
        std::shared_ptr<FrozenView> view;
        std::unique_ptr<SnapshotSink> sink;
    };
    boost::asio::awaitable<Snapshot> begin_snapshot();

    /// Hears of changes as soon as they may be told, before anybody else. On the strand; set before it runs.
    using Listener = std::function<void(std::span<const Change>)>;
    void on_changes(Listener listener) { listener_ = std::move(listener); }

    /// Takes back leases as they run out, until stop().
    boost::asio::awaitable<void> watch_leases();
    /// The clock does not go by itself: instead of watch_leases() there is catch_up(), which does what is due by
    /// now, messages too, and tells when something is due next. Set before anything runs.
    void go_by_hand() noexcept { by_hand_ = true; }
    boost::asio::awaitable<std::optional<Timestamp>> catch_up();
    /// The daemon is about to stop: claims that wait for work are answered, and none is kept waiting from now on.
    boost::asio::awaitable<void> end_waiting();
    /// Completes when everything that was submitted before has been answered and its changes have been told.
    boost::asio::awaitable<void> settled();
    /// Delivers messages as there are any, until stop(). Begins with those that were recovered.
    boost::asio::awaitable<void> deliver_messages();
    /// Nothing is submitted any more: ends watch_leases() and deliver_messages(), and lets go of all
    /// sessions.
    boost::asio::awaitable<void> stop();

    /// The journal has come further, or has failed, or has recovered. From any thread.
    void journal_moved();

    const Strand& strand() const noexcept { return strand_; }
    Engine& engine() noexcept { return engine_; }
    FanOut& fan_out() noexcept { return sessions_.fan_out(); }

private:
    struct Submitted {
        Action action;
        SessionId session = 0;
        std::unique_ptr<Call> call; ///< none: attach or detach
        std::shared_ptr<Outbox> outbox;
        std::chrono::steady_clock::time_point at;
    };
    /// One thing that was executed. Its changes, deliveries and posts end where the next one's begin.
    struct Step {
        Submitted submitted; ///< without a call: a connection that ended, or leases that ran out
        Result result;
        std::size_t changes_before_reply = 0;
        std::size_t changes_end = 0;
        std::size_t deliveries_end = 0;
        std::size_t posts_end = 0;
    };
    /// What was executed in one turn of the strand: one append to the journal, reached or taken
    /// back as a whole.
    struct Batch {
        Timestamp at{};
        std::vector<Step> steps;
        Effects effects;
        UndoLog undo;
        Revision last = 0;              ///< the store's revision behind it
        std::vector<Waiter<>> awaiting; ///< that it is released or refused
    };

    std::shared_ptr<FrozenView> view_of_now();
    void enqueue(Submitted submitted);
    void drain();
    void open(Batch& batch);
    void run(Submitted submitted, Batch& batch);
    void end_step(Step step, Batch& batch);
    void close_batch(Batch batch);
    void hand_over_soon();
    void hand_over();

    Result perform(const Submitted& submitted, Batch& batch);
    std::optional<Error> too_many_topics(const Command& command, const Caller& caller);
    Result start_watch(const Watch& watch, SessionId session, Batch& batch);
    Caller caller_of(SessionId session) const { return {session, sessions_.worker_of(session)}; }
    ReplyContext context_of(const Step& step, const Batch& batch) const;

    void release_reached();
    void release(Batch batch);
    void tell(std::span<Change> changes);
    void resume(std::vector<Waiter<>> waiters);
    void hand_over(const Step& step, std::span<const Change> changes, std::span<const PostPtr> posts);
    void bury_due();
    std::optional<Timestamp> next_message_due() const;
    void stir_dispatcher();
    boost::asio::awaitable<void> await_messages();
    void update_session(const Step& step);
    void count(const Step& step, std::chrono::steady_clock::time_point finished);

    void take_back(const std::string& reason);
    void refuse(Batch batch, const Error& error);
    void write_again();
    void rearm();

    void end_what_is_due();
    bool waits_for_work(const Step& step) const;
    void park(Step& step, Timestamp now);
    void serve_claims(Batch& batch);
    void drop_claims(SessionId session);
    void answer_claims();
    struct ParkedClaim;
    void answer_claim(const ParkedClaim& parked);
    std::optional<Timestamp> next_due() const;
    std::optional<Timestamp> next_due_by_hand() const;
    boost::asio::awaitable<void> released();

    Strand strand_;
    Turns turns_;
    const Clock& clock_;
    Metrics& metrics_;
    Journal& journal_;
    Engine engine_;
    Sessions sessions_;
    Listener listener_;
    Dispatcher dispatcher_;
    std::deque<Batch> unreached_;
    bool hands_over_ = false;  ///< hand_over() is queued
    std::uint64_t inputs_ = 0; ///< of the sockets, when it last looked
    unsigned looks_ = 0;
    Batch spare_; ///< the memory of a released batch, used again
    boost::asio::steady_timer lease_timer_;
    std::optional<Timestamp> armed_for_;
    boost::asio::steady_timer message_timer_;
    bool messages_stirred_ = false; ///< since the dispatcher last looked
    bool gathering_messages_ = false;
    /// A claim that found no work and waits for some.
    struct ParkedClaim {
        WorkerId worker;
        Timestamp until;
        Submitted submitted;
    };
    std::vector<ParkedClaim> parked_;
    Timestamp claims_due_{}; ///< the first `until` of them, or earlier
    bool serving_claims_ = false;
    bool claims_wait_ = true; ///< until end_waiting()
    bool by_hand_ = false;    ///< nothing waits for the clock
    bool stopped_ = false;
    bool failed_ = false;       ///< the journal takes nothing: read-only
    std::string refusal_;       ///< why no new work is taken; empty: it is
    bool moved_posted_ = false; ///< guarded by the mutex, like the two below

    std::mutex mutex_;
    std::vector<Submitted> submitted_; ///< waiting for the next drain
    SessionId last_session_ = 0;
};

} // namespace coordination
