#include "net/client/client_core.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "net/rethrow.hpp"

namespace coordination::net_client {

namespace asio = boost::asio;
namespace json = boost::json;

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

void ClientCore::on_message(const json::object& frame, std::size_t bytes)
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
    if (!messages_room_.enter(bytes)) {
        window_.failed(message.id); // it may come again, as all do that must not be lost
        count([](ClientMetrics& metrics) { ++metrics.bus_messages_refused; });
        return;
    }
    if (events.serve_message) {
        asio::co_spawn(task_executor_, serve(shared_from_this(), std::move(message), bytes), rethrow);
        return;
    }
    asio::post(task_executor_, [self = shared_from_this(), message = std::move(message), bytes] {
        if (self->let_go_)
            return;
        bool well = true;
        try {
            self->events.message(message);
        } catch (...) {
            self->report(self->failure_of_handler());
            well = false;
        }
        self->leave_message(message.id, well, bytes);
    });
}

asio::awaitable<void> ClientCore::serve(std::shared_ptr<ClientCore> self, ReceivedMessage message,
                                        std::size_t bytes)
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
    self->leave_message(id, well, bytes);
}

/// Posted, so that what the handler asked for last is sent ahead of the acknowledgement.
void ClientCore::leave_message(const std::string& id, bool well, std::size_t bytes)
{
    if (const auto refused = messages_room_.leave(bytes))
        report({.kind = CallErrorKind::queue_full,
                .message = std::to_string(refused) +
                           " messages were turned away, unacknowledged: their handlers are too slow"});
    asio::post(strand_, [self = shared_from_this(), id, well] { self->on_message_handled(id, well); });
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
