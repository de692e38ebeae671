#include "net/client/client_core.hpp"

#include <utility>

namespace coordination::net_client {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

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

void ClientCore::subscribe(json::array topics, SubscribeOptions how, Reply reply)
{
    Request request{.about = Request::About::subscription, .body = body_of(subscribe_frame(topics, how))};
    if (const auto room = requests_.has_room_for(request.body); !room)
        return reply(tl::unexpected(room.error()));
    if (!requests_.under_way(resumption_))
        requests_.take(resumption_); // sent behind this one, it would replace it
    request.replies.push_back(std::move(reply));
    const auto id = ask(std::move(request));
    wanted_watches_.emplace(id, Watch{.topics = std::move(topics), .how = how});
}

void ClientCore::on_subscribed(RequestId id, const Answer& answer)
{
    auto wanted = wanted_watches_.extract(id);
    if (answer) {
        requests_.take(resumption_); // of what is followed no more
        watch_ = std::move(wanted.mapped());
        watch_->how.since = watch_->how.since.value_or(integer_or(*answer, "revision", 0));
        resuming_ = behind_ = false;
    } else {
        resume_watch(); // what it would have replaced goes on
    }
}

/// After a connection was lost: what was followed goes on where it stopped.
void ClientCore::resume_subscriptions()
{
    requests_.take(resumption_);
    resuming_ = watch_.has_value();
    resume_watch();
    if (!message_topics_.empty())
        ask({.body = body_of({{"type", "subscribe_messages"},
                              {"topics", json::array(message_topics_.begin(), message_topics_.end())}}),
             .repeatable = false});
}

/// Unless there is nothing to resume, no room for it, or a newer subscription whose answer decides.
void ClientCore::resume_watch()
{
    if (!resuming_ || behind_ || !wanted_watches_.empty())
        return;
    resumption_ = ask({.about = Request::About::resumption,
                       .body = body_of(subscribe_frame(watch_->topics, watch_->how)),
                       .repeatable = false});
}

void ClientCore::on_resumed(RequestId id, const Answer& answer)
{
    const bool later = !answer && may_succeed_later(answer.error().code);
    if (later && wanted_watches_.empty())
        return requests_.delay(id);
    requests_.take(id);
    if (answer) {
        if (!watch_->how.since)
            watch_->how.since = integer_or(*answer, "revision", 0);
        resuming_ = false;
        return;
    }
    if (!later) {
        report(answer.error()); // the gap is the user's to close, from the state and its revision
        resuming_ = std::exchange(watch_->how.since, std::nullopt).has_value();
    }
    resume_watch();
}

/// What comes before the daemon has read where to go on comes again, in its place.
void ClientCore::on_state_change(const json::object& frame, std::size_t bytes)
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
    const auto revision = change.revision;
    if (watch_ && watch_->how.since && revision <= *watch_->how.since)
        return;
    if (!tell_in(changes_room_, bytes, events.state_change, std::move(change)))
        return fall_behind();
    if (watch_)
        watch_->how.since = revision;
}

void ClientCore::on_state_gap(const json::object& frame, std::size_t bytes)
{
    if (!resuming_ && !tell_in(changes_room_, bytes, events.state_gap,
                               StateGap{.from = integer_or(frame, "from", 0),
                                        .to = integer_or(frame, "to", 0),
                                        .changes = integer_or(frame, "changes", 0),
                                        .kept = integer_or(frame, "kept", 0)}))
        fall_behind();
}

/// The user's handler is slower than the changes come, and as many as may wait for it do. The rest is let go
/// by, and asked for again once there is room: it is the daemon that remembers. Reading no more instead would
/// hold up leases, cancellations and the answers that the handler itself may wait for.
void ClientCore::fall_behind()
{
    const bool can_ask_again = watch_ && watch_->how.since;
    if (can_ask_again)
        resuming_ = behind_ = true;
    count([&](ClientMetrics& metrics) { ++(can_ask_again ? metrics.watch_pauses : metrics.events_dropped); });
}

void ClientCore::catch_up(std::size_t refused)
{
    if (!std::exchange(behind_, false))
        return report(
            {.kind = CallErrorKind::queue_full,
             .message = std::to_string(refused) + " changes were not told: their handler is too slow"});
    if (ready_)
        resume_watch(); // else the next connection does
}

} // namespace coordination::net_client
