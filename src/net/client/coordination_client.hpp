#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "net/client/assigned_task.hpp"
#include "net/client/call_error.hpp"
#include "net/client/client_events.hpp"
#include "net/client/client_metrics.hpp"
#include "net/client/client_options.hpp"
#include "net/client/publication.hpp"
#include "net/client/reply.hpp"
#include "net/client/subscribe_options.hpp"

namespace coordination {

namespace net_client {
class ClientCore;
}

/// A worker's, or anybody's, side of the daemon: the seed's client. It keeps one WebSocket to the daemon,
/// opens the next when that is lost, and makes what the daemon promises hold for its user across all of them:
///
/// Tasks     One handler call per attempt, however often the daemon tells of it. Attempt and fence go with
///           every report by themselves. An ending is reported until the daemon has confirmed it, over as
///           many connections as that takes; a repetition changes nothing there. The task is reported
///           in_progress when its handler is called.
/// Leases    Held across a lost connection, as long as the daemon's heartbeat timeout allows. When the task
///           is cancelled, its lease is lost, or this client leaves, `AssignedTask::stop` fires; what the
///           handler then reports confirms a cancellation, and is otherwise refused here with lease_lost.
/// Reconnect By itself, see `CoordinationClientOptions::reconnect_interval`. It ends for good where the daemon
///           refuses the token or the registration, and where another connection registers the same worker.
///           Without `reconnect` the loss of the connection ends everything: calls answer, tasks are stopped.
/// Calls     Each takes an Asio completion token for `void(Answer)`: by default it is a coroutine's, to be
///           co_awaited; `asio::use_future`, `asio::detached` and callbacks do as well. It is answered once
///           the daemon has answered. What cannot be sent now waits for a connection, in order, within
///           `unsent_count_max` and `unsent_bytes_max`; beyond them it is queue_full and nothing was taken.
///           disconnect() answers whatever still waits with stopped, and so does the client's end; what a
///           handler that still runs calls for later is answered so too. An at-most-once message is the one
///           thing that is not sent twice: lost. Calls go out in the order in which they were made, and how a
///           handler's task ended, or that it is through with its message, after all that it called for.
/// Changes   After a reconnect they go on where they stopped, each once, in order. Where the daemon no longer
///           knows what was missed (it remembers within a bound) `error` tells REVISION_COMPACTED, and they
///           go on from the present: read get_state() and its revision.
/// Messages  Handled once per id within the last `message_ids_max`, and acknowledged when the handler has
///           returned. One that throws is not acknowledged: the bus delivers the message again.
/// Bounds    Of changes, messages and other events no more wait for their handlers than `event_count_max`
///           and `event_bytes_max` say. There changes pause, and later go on where they stopped; messages are
///           left unacknowledged; other events are dropped and counted. See CoordinationClientOptions.
/// Errors    Values. No exception leaves a call; what a handler throws is reported by `error`, and fails its
///           task.
/// Threads   Calls, connected() and get_metrics() from any. Handlers run on the client's strand, one at a
///           time, and must not block it: coroutines suspend. (ClientThread is for handlers that block.) A
///           stop token fires on it too. Handlers are set before connect().
/// Lifetime  It may be destroyed any time on its executor's thread, or when that does not run: everything
///           ends, no handler begins any more; coroutines that are under way must not use it then. Calls keep
///           the executor busy until they are answered, and so does a client until disconnect().
class CoordinationClient {
public:
    using Await = boost::asio::use_awaitable_t<>;

    CoordinationClient(const boost::asio::any_io_executor& executor, CoordinationClientOptions options);
    /// Handlers run on `handlers` instead: those of tasks and messages beside each other, the rest one at a
    /// time.
    CoordinationClient(const boost::asio::any_io_executor& executor,
                       const boost::asio::any_io_executor& handlers, CoordinationClientOptions options);
    ~CoordinationClient();
    CoordinationClient(const CoordinationClient&) = delete;
    CoordinationClient& operator=(const CoordinationClient&) = delete;

    /// Is called with each task. It, or whoever it hands the task to, calls complete_task() or fail_task() in
    /// the end.
    void on_task_assigned(std::function<void(AssignedTask)> handler);
    /// The same as a coroutine: what it returns ends the task.
    void serve_tasks(std::function<boost::asio::awaitable<TaskEnding>(AssignedTask)> handler);
    /// Beside the stop token, for those who have no use for one.
    void on_task_cancelled(std::function<void(AssignedTask, std::string reason)> handler);
    void on_state_change(std::function<void(StateChange)> handler);
    void on_state_gap(std::function<void(StateGap)> handler);
    void on_message(std::function<void(ReceivedMessage)> handler);
    void serve_messages(std::function<boost::asio::awaitable<void>(ReceivedMessage)> handler);
    void on_connected(std::function<void()> handler);
    void on_disconnected(std::function<void(CallError why)> handler);
    void on_reconnecting(std::function<void(Reconnecting)> handler);
    void on_reconnected(std::function<void()> handler);
    void on_registered(std::function<void(Registration)> handler);
    void on_heartbeat_ack(std::function<void(std::int64_t timestamp_ms)> handler);
    /// What went wrong and no call could tell: lost leases, refused messages, a daemon that is not reached.
    void on_error(std::function<void(CallError)> handler);

    /// Connects and, where there is a worker_id, registers. With `reconnect` it keeps trying, so that a
    /// worker may be started before its daemon; it fails only for good.
    template <class Token = Await>
    auto connect(Token&& token = {})
    {
        return ask(connecting(), std::forward<Token>(token));
    }

    /// Stops the tasks that run, waits at most `close_timeout` for what is unconfirmed, gives back what is
    /// held, closes. After it connect() begins anew. While one is under way, another waits for the same end.
    template <class Token = Await>
    auto disconnect(Token&& token = {})
    {
        return ask(disconnecting(), std::forward<Token>(token));
    }

    /// `status` as in the contract: in_progress (with `progress` in `data`), completed (with `result`),
    /// failed (with `error`), or cancelled to confirm a cancellation.
    template <class Token = Await>
    auto update_task(TaskRef task, std::string status, boost::json::object data = {}, Token&& token = {})
    {
        return ask(updating(std::move(task), std::move(status), std::move(data)), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto complete_task(TaskRef task, boost::json::value result = nullptr, Token&& token = {})
    {
        return ask(ending(std::move(task), TaskEnding(std::move(result))), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto fail_task(TaskRef task, boost::json::value error = nullptr, Token&& token = {})
    {
        return ask(ending(std::move(task), tl::unexpected(std::move(error))), std::forward<Token>(token));
    }

    /// 0 to 100. Of several that could not be sent yet, the last is, and all are answered as it is; but where
    /// more than `unsent_count_max` calls would wait, the earliest is answered with queue_full.
    template <class Token = Await>
    auto update_progress(TaskRef task, double progress, Token&& token = {})
    {
        return ask(progressing(std::move(task), progress), std::forward<Token>(token));
    }

    /// Topics as in the contract: `tasks:set`, `workers:*`, `*`. Replaces those before.
    template <class Token = Await>
    auto subscribe(std::vector<std::string> topics, SubscribeOptions options = {}, Token&& token = {})
    {
        return ask(subscribing(std::move(topics), options), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto publish(Publication publication, Token&& token = {})
    {
        return ask(calling(net_client::publish_frame(std::move(publication))), std::forward<Token>(token));
    }

    /// By hand, for a handler that threw after all was done; else it is sent by itself.
    template <class Token = Await>
    auto ack(std::string message_id, Token&& token = {})
    {
        return ask(calling({{"type", "ack"}, {"messageId", message_id}}), std::forward<Token>(token));
    }

    /// Adds topics of the bus, `*` for any part. After a reconnect the daemon is told again.
    template <class Token = Await>
    auto subscribe_messages(std::vector<std::string> topics, Token&& token = {})
    {
        return ask(following(std::move(topics), true), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto unsubscribe_messages(std::vector<std::string> topics, Token&& token = {})
    {
        return ask(following(std::move(topics), false), std::forward<Token>(token));
    }

    /// Any other message of the protocol, such as `submit` or `cancel`: an object with its `type`. It is sent
    /// again if the connection is lost before the answer, so it should be one that does no harm twice.
    template <class Token = Await>
    auto call(boost::json::object message, Token&& token = {})
    {
        return ask(calling(std::move(message)), std::forward<Token>(token));
    }

    // Over HTTP, with or without a WebSocket. What is lost on the way is not sent again: the call says so.
    template <class Token = Await>
    auto register_http(Token&& token = {})
    {
        return ask(registering(), std::forward<Token>(token));
    }

    /// The worker's tasks go to others, and their stop tokens fire.
    template <class Token = Await>
    auto unregister_http(Token&& token = {})
    {
        return ask(unregistering(), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto complete_task_http(TaskRef task, boost::json::value result = nullptr, Token&& token = {})
    {
        return ask(ending_http(std::move(task), TaskEnding(std::move(result))), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto fail_task_http(TaskRef task, boost::json::value error = nullptr, Token&& token = {})
    {
        return ask(ending_http(std::move(task), tl::unexpected(std::move(error))),
                   std::forward<Token>(token));
    }

    /// The whole state, as GET /api/state tells it.
    template <class Token = Await>
    auto get_state(Token&& token = {})
    {
        return ask(getting("/api/state"), std::forward<Token>(token));
    }

    template <class Token = Await>
    auto get_daemon_metrics(Token&& token = {})
    {
        return ask(getting("/api/metrics"), std::forward<Token>(token));
    }

    ClientMetrics get_metrics() const;
    /// Whether calls reach the daemon now: connected and, where there is a worker_id, registered.
    bool connected() const;
    /// What handlers run on, unless they were given another executor.
    boost::asio::any_io_executor get_executor() const;

private:
    friend class ClientThread;
    using Core = net_client::ClientCore;
    using Call = std::function<void(Core&, net_client::Reply)>;

    /// Ends everything as the destructor does; calls answer stopped from now on.
    void let_go();

    static Call connecting();
    static Call disconnecting();
    static Call updating(TaskRef task, std::string status, boost::json::object data);
    static Call progressing(TaskRef task, double progress);
    static Call ending(TaskRef task, TaskEnding ending);
    static Call subscribing(std::vector<std::string> topics, SubscribeOptions options);
    static Call following(std::vector<std::string> topics, bool wanted);
    static Call calling(boost::json::object message);
    static Call registering();
    static Call unregistering();
    static Call ending_http(TaskRef task, TaskEnding ending);
    static Call getting(std::string target);
    static void begin(std::shared_ptr<Core> core, Call call, net_client::Reply reply);

    template <class Token>
    auto ask(Call call, Token&& token)
    {
        return boost::asio::async_initiate<Token, void(Answer)>(
            [core = core_, executor = get_executor()](auto handler, Call wanted) {
                begin(core, std::move(wanted), net_client::Reply(std::move(handler), executor));
            },
            token, std::move(call));
    }

    std::shared_ptr<Core> core_;
};

} // namespace coordination
