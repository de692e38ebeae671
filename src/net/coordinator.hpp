#pragma once

#include "core/engine.hpp"
#include "net/clock.hpp"
#include "net/fan_out.hpp"
#include "net/metrics.hpp"
#include "net/outbox.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
    /// On the store's strand, once the reply may be told (the change is as durable as promised). In the order
    /// of execution.
    virtual void deliver() = 0;
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
/// is durable as promised, reply and publish in the order of the revisions.
///
/// Threads  submit(), attach(), detach(), read(), freeze() and stop() from any thread; the rest on the
/// strand.
class Coordinator {
public:
    using Strand = boost::asio::strand<boost::asio::any_io_executor>;

    Coordinator(boost::asio::any_io_executor executor, const Limits& limits, std::size_t watch_bytes_max,
                const Clock& clock, Metrics& metrics);
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

    /// Takes back leases as they run out, until stop().
    boost::asio::awaitable<void> watch_leases();
    /// Nothing is submitted any more: ends watch_leases() and lets go of all sessions.
    boost::asio::awaitable<void> stop();

    /// New work is refused with storage_failed and this reason, what runs may end; empty: no longer. From any
    /// thread.
    void refuse_work(std::string reason);

    const Strand& strand() const noexcept { return strand_; }
    Engine& engine() noexcept { return engine_; }
    FanOut& fan_out() noexcept { return fan_out_; }

private:
    struct Submitted {
        Action action;
        SessionId session = 0;
        std::unique_ptr<Call> call; ///< none: attach or detach
        std::shared_ptr<Outbox> outbox;
        std::chrono::steady_clock::time_point at;
    };
    struct Session {
        std::shared_ptr<Outbox> outbox;
        WorkerId worker;
    };

    void enqueue(Submitted submitted);
    void drain();
    void run(Submitted& submitted, Timestamp now);
    Result perform(const Action& action, SessionId session, Timestamp now);
    Result start_watch(const Watch& watch, SessionId session, Timestamp now);
    /// What a call that went well means for its connection, once its reply is out.
    void update_session(const Action& action, const Outcome& outcome, SessionId session);
    Caller caller_of(SessionId session) const;
    void leave(SessionId session, Timestamp now);
    void publish();
    void send(const Delivery& delivery);
    void rearm();
    void count(const Submitted& submitted);

    Strand strand_;
    const Clock& clock_;
    Metrics& metrics_;
    Engine engine_;
    FanOut fan_out_;
    std::unordered_map<SessionId, Session> sessions_;
    Effects effects_;
    boost::asio::steady_timer lease_timer_;
    std::optional<Timestamp> armed_for_;
    bool stopped_ = false;
    std::string refusal_; ///< why no new work is taken; empty: it is

    std::mutex mutex_;                 ///< guards the two below
    std::vector<Submitted> submitted_; ///< waiting for the next drain
    SessionId last_session_ = 0;
};

} // namespace coordination
