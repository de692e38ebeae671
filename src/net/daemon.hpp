#pragma once

#include "net/clock.hpp"
#include "net/embed/delivered_message.hpp"
#include "net/embed/event.hpp"
#include "net/embed/initiate.hpp"
#include "net/embed/request.hpp"
#include "net/endpoints.hpp"
#include "net/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coordination {

/// The whole daemon in one object: state, persistence, ports. Several may live in one process, on threads of
/// their own or on one io_context.
///
/// Tokens     What takes a while takes a completion token of Asio and returns what that makes of it: an awaitable
///            without one, a std::future with asio::use_future, nothing with a callback (which is called on the
///            daemon's executor, unless it has one of its own).
/// Ownership  On a caller's io_context: must outlive its run(), and be stopped before it is destroyed. On its own
///            threads the destructor stops it.
/// Threads    Any, but start() and the destructor on none of its own. start() on a caller's io_context: before that
///            runs, or on one of its threads.
class Daemon {
public:
    /// On threads of its own, as many as the options say, from start() to the destructor.
    explicit Daemon(DaemonOptions options);
    /// On the caller's io_context, which has work from start() to stop().
    Daemon(boost::asio::io_context& io, DaemonOptions options);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Checks the options, recovers the state, takes the ports and serves as soon as the io_context runs. What
    /// stands in the way (a field beyond its range, a port that is taken, damaged state, a directory in use) is told
    /// in one line that says what to do; nothing is left behind, and it may be tried again. After a stop() it may be
    /// started again.
    tl::expected<Endpoints, std::string> start();

    /// No new work; what is in flight is answered, sockets are closed with 1001, the state is saved, handlers of
    /// events return. Afterwards the io_context has nothing left to do for this daemon. The error tells why the
    /// state could not be saved. To stop what is stopped tells once more how that went.
    template <class Token = const boost::asio::use_awaitable_t<>&>
    auto stop(Token&& token = boost::asio::use_awaitable)
    {
        return initiate<Stopped>(get_executor(), std::forward<Token>(token),
                                 [this](Told<Stopped> done) { begin_stop(std::move(done)); });
    }

    /// Anything of namespace request: `call(request::CancelTask{.task_id = "t1"})`. The answer is the request's
    /// Reply, or the Error that says why nothing was done; it comes once what was changed is as durable as promised.
    template <class Request, class Token = const boost::asio::use_awaitable_t<>&>
    auto call(Request request, Token&& token = boost::asio::use_awaitable)
    {
        using Reply = tl::expected<typename Request::Reply, Error>;
        const auto begin = [this, request = AnyRequest(std::move(request))](Told<Reply> done) {
            submit(request, [done = std::move(done)](AnyReply reply) {
                done(std::move(reply).map(
                    [](auto&& any) { return std::get<typename Request::Reply>(std::move(any)); }));
            });
        };
        return initiate<Reply>(get_executor(), std::forward<Token>(token), begin);
    }

    /// Gives a task to a worker, the best one where none is named, now or not at all. `task_data`: a JSON object.
    template <class Token = const boost::asio::use_awaitable_t<>&>
    auto assign_task(std::string task_id, std::optional<std::string> worker_id, std::string task_data,
                     Token&& token = boost::asio::use_awaitable)
    {
        return call(request::AssignTask{.task_id = std::move(task_id),
                                        .worker_id = std::move(worker_id),
                                        .task_data = std::move(task_data)},
                    std::forward<Token>(token));
    }

    using Handler = std::function<void(const Event&)>;
    using ListenerId = std::uint64_t;

    /// Has the handler called for each event of these kinds from now on, after what it tells of is as durable as
    /// promised. All handlers of a daemon hear of all events in one order, one after the other. A handler that takes
    /// long delays the others; what then waits beyond outbox_bytes_max is left out, and an EventKind::gap says so.
    /// An exception that leaves one leaves run() too; the handlers and events behind it come when that runs again.
    ListenerId on(std::initializer_list<EventKind> kinds, Handler handler);
    ListenerId on(EventKind kind, Handler handler) { return on({kind}, std::move(handler)); }
    using MessageHandler = std::function<void(const DeliveredMessage&)>;
    /// Has the handler called for each message that is published to one of these topics from now on, wildcards as on
    /// the wire, while the daemon runs: in turn with the handlers of events and where they run. A message is
    /// acknowledged when its handler has returned; where that took longer than ack_timeout, or an exception left it, it
    /// comes again. What a slow handler lets gather
    /// counts for the queue's bounds as a socket's does: publishers are refused with QUEUE_FULL; beyond what one
    /// receiver may let gather the oldest that were sent at most once go, and for others the subscription ends and
    /// begins anew, which the next message tells (`after_gap`). The error: a topic that is none, or more than 256.
    tl::expected<ListenerId, Error> on_message(const std::vector<std::string>& topics,
                                               MessageHandler handler);

    /// From the next event or message on it is not called. On another thread it may be under way still.
    void off(ListenerId id);
    /// Where handlers run, from the next call of one on; the daemon's executor unless this was called. It must
    /// run while stop() or ManualClock::advance() waits, and its context must outlive the daemon.
    void deliver_events_on(const boost::asio::any_io_executor& executor);

    boost::asio::any_io_executor get_executor() const noexcept;

private:
    class Host;
    using Stopped = tl::expected<void, std::string>;
    template <class Outcome>
    using Told = std::function<void(Outcome)>;

    void begin_stop(Told<Stopped> done);
    void submit(AnyRequest request, Told<AnyReply> done);

    std::shared_ptr<Host> host_;
};

} // namespace coordination
