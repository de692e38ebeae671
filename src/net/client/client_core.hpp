#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "net/client/backoff.hpp"
#include "net/client/client_events.hpp"
#include "net/client/client_metrics.hpp"
#include "net/client/client_options.hpp"
#include "net/client/handler_room.hpp"
#include "net/client/http_client.hpp"
#include "net/client/message_window.hpp"
#include "net/client/reply.hpp"
#include "net/client/requests.hpp"
#include "net/client/subscribe_options.hpp"
#include "net/client/task_book.hpp"
#include "net/client/ws_client.hpp"

namespace coordination::net_client {

/// What a CoordinationClient does, behind its handle, so that it may be let go of while coroutines still run.
///
/// Threads  The strand, except where it says otherwise.
class ClientCore : public std::enable_shared_from_this<ClientCore> {
public:
    /// `handlers`: where the user's handlers run; none: on the strand.
    ClientCore(const boost::asio::any_io_executor& executor,
               std::optional<boost::asio::any_io_executor> handlers, CoordinationClientOptions options);

    ClientEvents events; ///< not touched any more once connect() was called

    const boost::asio::any_io_executor& strand() const { return strand_; } ///< any thread
    ClientMetrics metrics() const;                                         ///< any thread
    void let_go();                                                         ///< any thread
    std::optional<CallError> gone() const; ///< any thread; what is asked for after let_go() comes to this

    void connect(Reply reply);
    void disconnect(Reply reply);
    void update(const TaskRef& task, std::string_view status, boost::json::object data, Reply reply);
    void end(const TaskRef& task, TaskEnding ending, Reply reply);
    void subscribe(boost::json::array topics, SubscribeOptions how, Reply reply);
    void follow_messages(std::vector<std::string> topics, bool wanted, Reply reply);
    /// Anything else: an object with a `type`.
    void call(const boost::json::object& message, Reply reply);

    void get(std::string target, Reply reply);
    void register_http(Reply reply);
    void unregister_http(Reply reply);
    void end_http(const TaskRef& task, TaskEnding ending, Reply reply);

private:
    enum class Life { idle, running, leaving };
    struct SessionEnd {
        CallError why;
        bool for_good = false; ///< it would end the same again
    };
    /// What changes this client follows.
    struct Watch {
        boost::json::array topics;
        SubscribeOptions how; ///< `since`: what was seen; none: it begins with the answer
    };

    // The connection (client_core.cpp).
    static boost::asio::awaitable<void> stay_connected(std::shared_ptr<ClientCore> self);
    static boost::asio::awaitable<void> beat(std::shared_ptr<ClientCore> self, std::uint64_t generation);
    static boost::asio::awaitable<void> leave(std::shared_ptr<ClientCore> self);
    boost::asio::awaitable<SessionEnd> one_session();
    boost::asio::awaitable<void> flush();
    void on_connection_ended(const SessionEnd& end);
    void give_up(const CallError& why);
    void drop_all(const CallError& why);
    std::chrono::milliseconds next_wait();
    std::string register_frame() const;
    void on_frame(const boost::json::object& frame, std::size_t bytes);
    void on_registered(const boost::json::object& frame);
    void on_ready();
    void on_error(const boost::json::object& frame);
    void send(std::string text);

    // The requests (client_core_calls.cpp).
    RequestId ask(Request request);
    void send_waiting();
    void on_response(const boost::json::object& frame);
    static void answer_with(Request request, const Answer& answer);
    static void answer_all(std::vector<Request> requests, const CallError& error);

    // The changes (client_core_watch.cpp).
    void on_subscribed(RequestId id, const Answer& answer);
    void on_resumed(RequestId id, const Answer& answer);
    void on_state_change(const boost::json::object& frame, std::size_t bytes);
    void on_state_gap(const boost::json::object& frame, std::size_t bytes);
    void resume_subscriptions();
    void resume_watch();
    void fall_behind();
    void catch_up(std::size_t refused);

    // The messages (client_core_messages.cpp).
    void on_message(const boost::json::object& frame, std::size_t bytes);
    static boost::asio::awaitable<void> serve(std::shared_ptr<ClientCore> self, ReceivedMessage message,
                                              std::size_t bytes);
    void leave_message(const std::string& id, bool well, std::size_t bytes);
    void on_message_handled(const std::string& id, bool well);

    // The tasks (client_core_tasks.cpp).
    void on_assigned(const boost::json::object& task);
    void on_cancelled(const boost::json::object& frame, std::size_t bytes);
    void on_held_task(const Answer& answer);
    void on_reported(RequestId id, const Answer& answer);
    void settle_held(const boost::json::array& held);
    bool already_here(const Lease& lease);
    void start(const HeldTask& held);
    static boost::asio::awaitable<void> serve(std::shared_ptr<ClientCore> self, AssignedTask task);
    void on_served(const AssignedTask& task, TaskEnding ending);
    void report_progress(HeldTask& held, boost::json::object data, Reply reply);
    void report_ending(HeldTask& held, std::string body, Reply reply, bool is_last_word = false);
    void count_ended(const boost::json::object& answer);
    void abandon(const Lease& lease, CallError why);
    void abandon_all(const CallError& why);
    void forget_reported();
    CallError not_held(const TaskRef& task) const;

    // The HTTP calls (client_core_http.cpp).
    static boost::asio::awaitable<void> request(std::shared_ptr<ClientCore> self,
                                                boost::beast::http::verb method, std::string target,
                                                std::string body, std::function<void(Answer&)> then,
                                                Reply reply);
    void request(boost::beast::http::verb method, std::string target, std::string body,
                 std::function<void(Answer&)> then, Reply reply);

    // The user's handlers (client_core_events.cpp). From any thread.
    template <class Handler, class... Arguments>
    void tell(const Handler& handler, Arguments... arguments);
    template <class Handler, class... Arguments>
    bool tell_in(HandlerRoom& room, std::size_t bytes, const Handler& handler, Arguments... arguments);
    void leave_room(HandlerRoom& room, std::size_t bytes);
    void report(CallError error);
    CallError failure_of_handler() const noexcept;
    template <class Change>
    void count(Change change);

    const CoordinationClientOptions options_;
    const tl::expected<ClientTargets, CallError> targets_;
    const boost::asio::any_io_executor strand_;
    const boost::asio::any_io_executor event_executor_; ///< one at a time
    const boost::asio::any_io_executor task_executor_;

    Life life_ = Life::idle;
    std::uint64_t generation_ = 0; ///< of the loops that run since connect()
    bool looping_ = false;         ///< stay_connected() has not ended
    bool connected_ = false;
    bool ready_ = false;      ///< registered, where there is a worker
    bool was_ready_ = false;  ///< since connect()
    bool signed_off_ = false; ///< by unregister_http(): not registered again until connect()
    unsigned attempts_ = 0;   ///< to connect, since the connection was lost
    std::vector<Reply> connecting_;
    std::vector<Reply> disconnecting_;
    Registration registration_;
    std::chrono::milliseconds beat_interval_;
    std::chrono::milliseconds heartbeat_timeout_{0};
    ReconnectBackoff pace_;
    WsClient ws_;
    std::vector<std::unique_ptr<HttpClient>> idle_http_;
    std::set<HttpClient*> busy_http_;

    Requests requests_;
    TaskBook book_;
    MessageWindow window_;
    std::optional<Watch> watch_;                ///< as the daemon confirmed it
    std::map<RequestId, Watch> wanted_watches_; ///< asked for, unanswered
    bool resuming_ = false;    ///< until the daemon knows where to go on: what comes is let go by
    bool behind_ = false;      ///< and it is not told so before there is room for changes again
    RequestId resumption_ = 0; ///< the last one; it may have been answered
    std::set<std::string> message_topics_;

    boost::asio::steady_timer heartbeat_timer_;
    boost::asio::steady_timer retry_timer_;
    boost::asio::steady_timer drained_; ///< cancelled when nothing waits any more
    boost::asio::steady_timer ended_;   ///< never runs out; cancelled when stay_connected() has ended

    HandlerRoom changes_room_;
    HandlerRoom messages_room_;
    HandlerRoom events_room_; ///< all others, but for tasks

    std::atomic<bool> let_go_ = false;
    mutable std::mutex metrics_mutex_;
    ClientMetrics metrics_;
};

template <class Handler, class... Arguments>
void ClientCore::tell(const Handler& handler, Arguments... arguments)
{
    if (!tell_in(events_room_, 0, handler, std::move(arguments)...))
        count([](ClientMetrics& metrics) { ++metrics.events_dropped; });
}

/// False where no more may wait there.
template <class Handler, class... Arguments>
bool ClientCore::tell_in(HandlerRoom& room, std::size_t bytes, const Handler& handler, Arguments... arguments)
{
    if (!handler)
        return true;
    if (!room.enter(bytes))
        return false;
    boost::asio::post(event_executor_, [self = shared_from_this(), &room, bytes, &handler,
                                        ... given = std::move(arguments)]() mutable {
        if (self->let_go_)
            return;
        try {
            handler(std::move(given)...);
        } catch (...) {
            self->report(self->failure_of_handler());
        }
        self->leave_room(room, bytes);
    });
    return true;
}

template <class Change>
void ClientCore::count(Change change)
{
    const std::lock_guard lock(metrics_mutex_);
    change(metrics_);
}

} // namespace coordination::net_client
