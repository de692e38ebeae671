#include "net/client/client_core.hpp"

#include <utility>

namespace coordination::net_client {

namespace json = boost::json;

namespace {

RequestId request_id_in(const json::object& frame)
{
    const auto* id = find_value(frame, "requestId");
    boost::system::error_code error;
    const auto number = id ? id->to_number<RequestId>(error) : 0;
    return error ? 0 : number;
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
        metrics.calls_waiting = requests_.calls();
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

} // namespace coordination::net_client
