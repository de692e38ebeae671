#include "net/client/client_core.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/strand.hpp>
#include <boost/json/serialize.hpp>

#include "net/client/parse_object.hpp"
#include "net/rethrow.hpp"

namespace coordination::net_client {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr unsigned superseded_code = 1008;

ClientOptions ws_options(const tl::expected<ClientTargets, CallError>& targets)
{
    return targets ? targets->ws : ClientOptions{}; // never used without targets
}

bool is_for_good(const CallError& error)
{
    return error.code == "UNAUTHORIZED" || error.code == "FORBIDDEN_ORIGIN" || is_our_mistake(error.code);
}

CallError leaving_error()
{
    return {.kind = CallErrorKind::stopped, .message = "the client was told to disconnect"};
}

} // namespace

ClientCore::ClientCore(const asio::any_io_executor& executor, std::optional<asio::any_io_executor> handlers,
                       CoordinationClientOptions options)
    : options_(std::move(options)),
      targets_(targets_of(options_)),
      strand_(asio::make_strand(executor)),
      event_executor_(handlers ? asio::any_io_executor(asio::make_strand(*handlers)) : strand_),
      task_executor_(handlers ? *handlers : strand_),
      beat_interval_(options_.heartbeat_interval),
      pace_(options_.reconnect_interval, options_.reconnect_interval_max, 0),
      ws_(strand_, ws_options(targets_)),
      requests_(options_.unsent_count_max, options_.unsent_bytes_max, options_.message_bytes_max),
      book_(options_.ended_count_max, options_.ended_bytes_max),
      window_(options_.message_ids_max),
      heartbeat_timer_(strand_),
      retry_timer_(strand_),
      drained_(strand_),
      ended_(strand_, asio::steady_timer::time_point::max()),
      changes_room_(options_.event_count_max, options_.event_bytes_max),
      messages_room_(options_.event_count_max, options_.event_bytes_max),
      events_room_(options_.event_count_max, options_.event_bytes_max)
{
}

ClientMetrics ClientCore::metrics() const
{
    const auto waiting = changes_room_.count() + messages_room_.count() + events_room_.count();
    const std::lock_guard lock(metrics_mutex_);
    auto metrics = metrics_;
    metrics.events_waiting = waiting;
    return metrics;
}

void ClientCore::let_go()
{
    let_go_ = true;
    asio::dispatch(strand_, [self = shared_from_this()] {
        self->give_up(*self->gone());
        for (auto* client : self->busy_http_)
            client->abort();
    });
}

std::optional<CallError> ClientCore::gone() const
{
    if (!let_go_)
        return std::nullopt;
    return CallError{.kind = CallErrorKind::stopped, .message = "the client is gone"};
}

void ClientCore::connect(Reply reply)
{
    if (!targets_)
        return reply(tl::unexpected(targets_.error()));
    if (life_ == Life::leaving)
        return reply(tl::unexpected(leaving_error()));
    if (ready_)
        return reply(json::object{});
    connecting_.push_back(std::move(reply));
    if (life_ == Life::running)
        return;
    life_ = Life::running;
    signed_off_ = was_ready_ = false;
    attempts_ = 0;
    pace_.reset();
    asio::co_spawn(strand_, beat(shared_from_this(), ++generation_), rethrow);
    if (!std::exchange(looping_, true)) // else it goes on
        asio::co_spawn(strand_, stay_connected(shared_from_this()), rethrow);
}

void ClientCore::disconnect(Reply reply)
{
    if (life_ == Life::idle) {
        drop_all(leaving_error());
        return reply(json::object{});
    }
    disconnecting_.push_back(std::move(reply));
    if (std::exchange(life_, Life::leaving) != Life::leaving)
        asio::co_spawn(strand_, leave(shared_from_this()), rethrow);
}

asio::awaitable<void> ClientCore::stay_connected(std::shared_ptr<ClientCore> self)
{
    while (self->life_ == Life::running) {
        const auto end = co_await self->one_session();
        self->on_connection_ended(end);
        if (self->life_ != Life::running)
            break;
        if (end.for_good || !self->options_.reconnect) {
            self->give_up(end.why);
            break;
        }
        const Reconnecting next{.attempt = ++self->attempts_, .wait = self->next_wait()};
        self->tell(self->events.reconnecting, next);
        self->retry_timer_.expires_after(next.wait);
        co_await self->retry_timer_.async_wait(nothrow);
    }
    self->looping_ = false;
    self->ended_.cancel();
}

/// From the first connect to the loss of the connection: it always ends with why.
asio::awaitable<ClientCore::SessionEnd> ClientCore::one_session()
{
    const auto reached = co_await ws_.connect();
    if (!reached) {
        const auto why = call_error_from(reached.error());
        co_return SessionEnd{.why = why, .for_good = is_for_good(why)};
    }
    if (life_ != Life::running)
        co_return SessionEnd{.why = leaving_error()};
    connected_ = true;
    count([](ClientMetrics& metrics) {
        metrics.connected = true;
        ++metrics.connections;
    });
    tell(events.connected);
    if (options_.worker_id.empty())
        on_ready();
    else
        send(register_frame());
    for (;;) {
        const auto text = co_await ws_.receive();
        if (!text && text.error().close_code == superseded_code)
            co_return SessionEnd{.why = {.kind = CallErrorKind::superseded,
                                         .message = "another connection has registered this worker"},
                                 .for_good = true};
        if (!text)
            co_return SessionEnd{.why = call_error_from(text.error())};
        count([](ClientMetrics& metrics) { ++metrics.messages_received; });
        const auto frame = parse_object(*text);
        if (!frame) {
            report({.kind = CallErrorKind::malformed, .message = "what came is no JSON object"});
            continue;
        }
        if (!ready_ && string_or(*frame, "type", "") == "error") {
            const auto why = refusal_in(*frame);
            co_return SessionEnd{.why = why, .for_good = is_for_good(why)};
        }
        on_frame(*frame, text->size());
    }
}

asio::awaitable<void> ClientCore::beat(std::shared_ptr<ClientCore> self, std::uint64_t generation)
{
    while (self->life_ == Life::running && self->generation_ == generation) {
        self->heartbeat_timer_.expires_after(self->beat_interval_);
        const auto [cancelled] = co_await self->heartbeat_timer_.async_wait(nothrow);
        if (cancelled || !self->ready_ || self->signed_off_)
            continue; // another interval was told, or there is nothing to tell
        if (!self->options_.worker_id.empty()) {
            self->send(
                json::serialize(json::object{{"type", "heartbeat"}, {"workerId", self->options_.worker_id}}));
            self->count([](ClientMetrics& metrics) { ++metrics.heartbeats_sent; });
        }
        self->requests_.resume_delayed();
        self->send_waiting();
    }
}

/// What was reported is confirmed, if the daemon is quick; what is still held goes back to it at once.
asio::awaitable<void> ClientCore::leave(std::shared_ptr<ClientCore> self)
{
    self->heartbeat_timer_.cancel();
    self->retry_timer_.cancel();
    const bool holds =
        std::ranges::any_of(self->book_.held(), [](const auto& entry) { return !entry.second.ending; });
    self->abandon_all(leaving_error());
    if (self->ready_ && holds && !self->signed_off_)
        self->ask(
            {.body = body_of(json::object{{"type", "goodbye"}, {"workerId", self->options_.worker_id}})});
    if (self->ready_)
        co_await self->flush();
    if (self->connected_)
        co_await self->ws_.close();
    self->ws_.abort();
    while (self->looping_)
        co_await self->ended_.async_wait(nothrow);
    self->drop_all(leaving_error());
    self->life_ = Life::idle;
    for (auto& waiting : std::exchange(self->disconnecting_, {}))
        waiting(json::object{});
}

asio::awaitable<void> ClientCore::flush()
{
    drained_.expires_after(options_.close_timeout);
    while (ready_ && requests_.count() > 0) {
        const auto [cancelled] = co_await drained_.async_wait(nothrow);
        if (!cancelled)
            co_return;
    }
}

void ClientCore::on_connection_ended(const SessionEnd& end)
{
    ws_.abort();
    const bool was_connected = std::exchange(connected_, false);
    ready_ = false;
    answer_all(requests_.connection_lost(),
               {.kind = CallErrorKind::lost, .message = "the connection ended before the answer"});
    drained_.cancel();
    count([&](ClientMetrics& metrics) {
        metrics.connected = metrics.ready = false;
        metrics.calls_waiting = requests_.calls();
        metrics.calls_waiting_bytes = requests_.bytes();
    });
    if (was_connected)
        tell(events.disconnected, end.why);
    if (life_ == Life::running && (!was_connected || end.why.kind != CallErrorKind::lost))
        report(end.why); // a loss is told already, by disconnected
}

/// It is over, until the next connect().
void ClientCore::give_up(const CallError& why)
{
    if (life_ != Life::leaving) // else that ends it
        life_ = Life::idle;
    ws_.abort();
    heartbeat_timer_.cancel();
    retry_timer_.cancel();
    drained_.cancel();
    abandon_all(why);
    drop_all(why);
}

void ClientCore::drop_all(const CallError& why)
{
    answer_all(requests_.take_all(), why);
    wanted_watches_.clear();
    forget_reported();
    for (auto& waiting : std::exchange(connecting_, {}))
        waiting(tl::unexpected(why));
}

std::chrono::milliseconds ClientCore::next_wait()
{
    if (book_.held().empty() || heartbeat_timeout_.count() <= 0)
        return pace_.next();
    return pace_.next(heartbeat_timeout_ / 3);
}

std::string ClientCore::register_frame() const
{
    return json::serialize(json::object{{"type", "register"},
                                        {"workerId", options_.worker_id},
                                        {"capabilities", json::value_from(options_.capabilities)},
                                        {"metadata", options_.metadata}});
}

void ClientCore::on_frame(const json::object& frame, std::size_t bytes)
{
    const auto type = string_or(frame, "type", "");
    if (type == "response")
        on_response(frame);
    else if (type == "state_change")
        on_state_change(frame, bytes);
    else if (type == "state_gap")
        on_state_gap(frame, bytes);
    else if (type == "task_assigned") {
        if (const auto* task = find_object(frame, "task"))
            on_assigned(*task);
    } else if (type == "message")
        on_message(frame, bytes);
    else if (type == "heartbeat_ack") {
        const auto at = integer_or(frame, "timestamp", 0);
        count([&](ClientMetrics& metrics) {
            ++metrics.heartbeats_acknowledged;
            metrics.last_heartbeat_ack = at;
        });
        tell(events.heartbeat_ack, at);
    } else if (type == "task_cancelled")
        on_cancelled(frame, bytes);
    else if (type == "registered")
        on_registered(frame);
    else if (type == "error")
        on_error(frame);
}

void ClientCore::on_registered(const json::object& frame)
{
    registration_ = {
        .worker_id = options_.worker_id,
        .session_id = string_or(frame, "sessionId", ""),
        .revision = integer_or(frame, "revision", 0),
        .heartbeat_interval = std::chrono::milliseconds{integer_or(frame, "heartbeatInterval", 0)},
        .heartbeat_timeout = std::chrono::milliseconds{integer_or(frame, "heartbeatTimeout", 0)}};
    beat_interval_ = options_.heartbeat_interval;
    if (registration_.heartbeat_interval.count() > 0)
        beat_interval_ = std::min(beat_interval_, registration_.heartbeat_interval);
    heartbeat_timeout_ = registration_.heartbeat_timeout;
    heartbeat_timer_.cancel(); // begins anew with the interval that was told
    tell(events.registered, registration_);
    if (const auto* held = find_array(frame, "tasks"))
        settle_held(*held);
    on_ready();
}

void ClientCore::on_ready()
{
    const bool first_on_connection = !std::exchange(ready_, true);
    if (first_on_connection) {
        pace_.reset();
        attempts_ = 0;
        const bool again = std::exchange(was_ready_, true);
        count([&](ClientMetrics& metrics) {
            metrics.ready = true;
            metrics.reconnects += again ? 1 : 0;
        });
        for (auto& waiting : std::exchange(connecting_, {}))
            waiting(json::object{});
        if (again)
            tell(events.reconnected);
        resume_subscriptions();
    }
    send_waiting();
}

void ClientCore::on_error(const json::object& frame)
{
    const auto refusal = refusal_in(frame);
    const auto* held = book_.find(string_or(frame, "taskId", ""));
    if (held && lease_is_lost(refusal.code)) {
        abandon(Lease(held->lease), refusal);
        return;
    }
    report(refusal);
    if (refusal.code == "WORKER_NOT_FOUND" && ready_ && !signed_off_ && !options_.worker_id.empty())
        send(register_frame()); // somebody has signed this worker off
}

/// A frame that cannot be queued ends nothing: what matters waits among the requests, and the session ends by
/// itself when the connection does.
void ClientCore::send(std::string text)
{
    if (ws_.send(std::move(text)))
        count([](ClientMetrics& metrics) { ++metrics.messages_sent; });
}

} // namespace coordination::net_client
