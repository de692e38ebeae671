#include "net/client/client_core.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>

#include "net/rethrow.hpp"

namespace coordination::net_client {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

RequestId request_id_in(const json::object& frame)
{
    const auto* id = find_value(frame, "requestId");
    boost::system::error_code error;
    const auto number = id ? id->to_number<RequestId>(error) : 0;
    return error ? 0 : number;
}

json::object subscribe_frame(const json::array& topics, const SubscribeOptions& how)
{
    json::object frame{{"type", "subscribe"}, {"topics", topics}};
    if (how.values)
        frame["values"] = true;
    if (how.since)
        frame["since"] = *how.since;
    if (how.coalesce)
        frame["policy"] = "coalesce";
    if (how.budget)
        frame["budget"] = *how.budget;
    return frame;
}

} // namespace

void ClientCore::answer_with(Request request, const Answer& answer)
{
    for (auto& reply : request.replies)
        reply(answer);
}

void ClientCore::answer_all(std::vector<Request> requests, const CallError& error)
{
    for (auto& request : requests)
        answer_with(std::move(request), tl::unexpected(error));
}

RequestId ClientCore::ask(Request request)
{
    const auto id = requests_.add(std::move(request));
    send_waiting();
    return id;
}

void ClientCore::send_waiting()
{
    while (ready_) {
        auto next = requests_.next_unsent();
        if (!next || !ws_.send(std::move(next->text)))
            break;
        requests_.mark_sent(next->id);
        count([](ClientMetrics& metrics) { ++metrics.messages_sent; });
    }
    count([&](ClientMetrics& metrics) {
        metrics.calls_waiting = requests_.count();
        metrics.calls_waiting_bytes = requests_.bytes();
    });
}

void ClientCore::on_response(const json::object& frame)
{
    const auto id = request_id_in(frame);
    const auto* known = requests_.find(id);
    if (!known)
        return;
    const auto* success = find_value(frame, "success");
    const Answer answer =
        success && *success == json::value(true) ? Answer(frame) : Answer(tl::unexpected(refusal_in(frame)));
    switch (known->about) {
    case Request::About::ending:
        on_reported(id, answer);
        break;
    case Request::About::progress:
        if (!answer && lease_is_lost(answer.error().code)) {
            auto request = std::move(*requests_.take(id));
            auto lost = answer.error();
            lost.kind = CallErrorKind::lease_lost;
            abandon(*request.lease, lost);
            answer_with(std::move(request), tl::unexpected(lost));
            break;
        }
        answer_with(std::move(*requests_.take(id)), answer);
        break;
    case Request::About::held_task:
        on_held_task(answer);
        answer_with(std::move(*requests_.take(id)), answer);
        break;
    case Request::About::subscription:
        on_subscribed(id, answer);
        answer_with(std::move(*requests_.take(id)), answer);
        break;
    case Request::About::resumption:
        on_resumed(id, answer);
        break;
    case Request::About::call:
        answer_with(std::move(*requests_.take(id)), answer);
        break;
    }
    send_waiting(); // the socket may have been too full for some
    if (requests_.count() == 0)
        drained_.cancel();
}

void ClientCore::call(const json::object& message, Reply reply)
{
    Request request{.body = body_of(message)};
    if (const auto room = requests_.has_room_for(request.body); !room)
        return reply(tl::unexpected(room.error()));
    request.repeatable = string_or(message, "guarantee", "") != "at-most-once";
    request.replies.push_back(std::move(reply));
    ask(std::move(request));
}

void ClientCore::subscribe(json::array topics, SubscribeOptions how, Reply reply)
{
    Request request{.about = Request::About::subscription, .body = body_of(subscribe_frame(topics, how))};
    if (const auto room = requests_.has_room_for(request.body); !room)
        return reply(tl::unexpected(room.error()));
    request.replies.push_back(std::move(reply));
    const auto id = ask(std::move(request));
    wanted_watches_.emplace(id, Watch{.topics = std::move(topics), .how = how});
}

void ClientCore::on_subscribed(RequestId id, const Answer& answer)
{
    auto wanted = wanted_watches_.extract(id);
    if (answer) {
        watch_ = std::move(wanted.mapped());
        watch_->how.since = watch_->how.since.value_or(integer_or(*answer, "revision", 0));
        resuming_ = false;
    } else if (resuming_ && wanted_watches_.empty()) {
        resume_watch(); // what it would have replaced goes on
    }
}

/// After a connection was lost: what was followed goes on where it stopped.
void ClientCore::resume_subscriptions()
{
    resuming_ = watch_.has_value();
    if (resuming_ && wanted_watches_.empty())
        resume_watch();
    if (!message_topics_.empty())
        ask({.body = body_of({{"type", "subscribe_messages"},
                              {"topics", json::array(message_topics_.begin(), message_topics_.end())}}),
             .repeatable = false});
}

void ClientCore::resume_watch()
{
    ask({.about = Request::About::resumption,
         .body = body_of(subscribe_frame(watch_->topics, watch_->how)),
         .repeatable = false});
}

void ClientCore::on_resumed(RequestId id, const Answer& answer)
{
    if (!answer && may_succeed_later(answer.error().code))
        return requests_.delay(id);
    requests_.take(id);
    if (!answer)
        report(answer.error()); // the gap is the user's to close, from the state and its revision
    if (!answer && watch_->how.since) {
        watch_->how.since.reset();
        return resume_watch();
    }
    if (answer && !watch_->how.since)
        watch_->how.since = integer_or(*answer, "revision", 0);
    resuming_ = false;
}

/// What comes before the daemon has read where to go on comes again, in its place.
void ClientCore::on_state_change(const json::object& frame)
{
    const auto* told = find_object(frame, "change");
    if (!told || resuming_)
        return;
    StateChange change{.collection = string_or(*told, "collection", ""),
                       .key = string_or(*told, "key", ""),
                       .operation = string_or(*told, "operation", ""),
                       .revision = integer_or(*told, "revision", 0),
                       .value = {},
                       .timestamp = integer_or(frame, "timestamp", 0)};
    if (const auto* value = find_value(*told, "value"))
        change.value = *value;
    if (watch_) {
        if (watch_->how.since && change.revision <= *watch_->how.since)
            return;
        watch_->how.since = change.revision;
    }
    tell(events.state_change, std::move(change));
}

void ClientCore::on_state_gap(const json::object& frame)
{
    if (!resuming_)
        tell(events.state_gap, StateGap{.from = integer_or(frame, "from", 0),
                                        .to = integer_or(frame, "to", 0),
                                        .changes = integer_or(frame, "changes", 0),
                                        .kept = integer_or(frame, "kept", 0)});
}

void ClientCore::follow_messages(std::vector<std::string> topics, bool wanted, Reply reply)
{
    const json::array list(topics.begin(), topics.end());
    for (auto& topic : topics) {
        if (wanted)
            message_topics_.insert(std::move(topic));
        else
            message_topics_.erase(topic);
    }
    call({{"type", wanted ? "subscribe_messages" : "unsubscribe_messages"}, {"topics", list}},
         std::move(reply));
}

void ClientCore::on_message(const json::object& frame)
{
    ReceivedMessage message{.id = string_or(frame, "messageId", ""),
                            .topic = string_or(frame, "topic", ""),
                            .payload = {},
                            .sender = string_or(frame, "sender", ""),
                            .priority = string_or(frame, "priority", ""),
                            .guarantee = string_or(frame, "guarantee", ""),
                            .attempt = integer_or(frame, "attempt", 1)};
    if (const auto* payload = find_value(frame, "payload"))
        message.payload = *payload;
    if (const auto number = find_integer(frame, "priority"))
        message.priority = std::to_string(*number);
    if (message.id.empty() || (!events.message && !events.serve_message))
        return;
    const auto arrival = window_.arrive(message.id);
    if (arrival != MessageWindow::Arrival::first) {
        count([](ClientMetrics& metrics) { ++metrics.bus_messages_duplicate; });
        if (arrival == MessageWindow::Arrival::handled) // its acknowledgement was lost
            on_message_handled(message.id, true);
        return;
    }
    if (events.serve_message) {
        asio::co_spawn(task_executor_, serve(shared_from_this(), std::move(message)), rethrow);
        return;
    }
    asio::post(task_executor_, [self = shared_from_this(), message = std::move(message)] {
        if (self->let_go_)
            return;
        bool well = true;
        try {
            self->events.message(message);
        } catch (...) {
            self->report(self->failure_of_handler());
            well = false;
        }
        asio::dispatch(self->strand_, [self, id = message.id, well] { self->on_message_handled(id, well); });
    });
}

asio::awaitable<void> ClientCore::serve(std::shared_ptr<ClientCore> self, ReceivedMessage message)
{
    if (self->let_go_)
        co_return;
    const auto id = message.id;
    bool well = true;
    try {
        co_await self->events.serve_message(std::move(message));
    } catch (...) {
        self->report(self->failure_of_handler());
        well = false;
    }
    asio::dispatch(self->strand_, [self, id, well] { self->on_message_handled(id, well); });
}

/// Acknowledged only now, so that a message whose handler died with its process is delivered again. Without a
/// connection it will be, and is then acknowledged without being handled.
void ClientCore::on_message_handled(const std::string& id, bool well)
{
    if (!well)
        return window_.failed(id);
    window_.handled(id);
    count([](ClientMetrics& metrics) { ++metrics.bus_messages; });
    if (ready_)
        ask({.body = body_of({{"type", "ack"}, {"messageId", id}}), .repeatable = false});
}

} // namespace coordination::net_client
