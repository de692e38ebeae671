#include "net/client/client_core.hpp"

namespace coordination::net_client {

namespace asio = boost::asio;

void ClientCore::report(CallError error)
{
    if (!events.error)
        return;
    if (!events_room_.enter(0))
        return count([](ClientMetrics& metrics) { ++metrics.events_dropped; });
    asio::post(event_executor_, [self = shared_from_this(), error = std::move(error)]() mutable {
        if (self->let_go_)
            return;
        try {
            self->events.error(std::move(error));
        } catch (...) { // NOLINT(bugprone-empty-catch): there is nobody left to be told
        }
        self->leave_room(self->events_room_, 0);
    });
}

/// An event's handler is through.
void ClientCore::leave_room(HandlerRoom& room, std::size_t bytes)
{
    const auto refused = room.leave(bytes);
    if (refused == 0)
        return;
    if (&room == &changes_room_)
        asio::post(strand_, [self = shared_from_this(), refused] { self->catch_up(refused); });
    else
        report({.kind = CallErrorKind::queue_full,
                .message = std::to_string(refused) + " events were not told: their handlers are too slow"});
}

CallError ClientCore::failure_of_handler() const noexcept
{
    CallError failure{.kind = CallErrorKind::handler_failed};
    try {
        throw;
    } catch (const std::exception& thrown) {
        failure.message = thrown.what();
    } catch (...) {
        failure.message = "a handler threw what is no std::exception";
    }
    return failure;
}

} // namespace coordination::net_client
