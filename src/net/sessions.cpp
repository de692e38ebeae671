#include "net/sessions.hpp"

#include "core/json/records.hpp"
#include "core/json/write.hpp"

#include <utility>

namespace coordination {

void Sessions::open(SessionId session, std::shared_ptr<Outbox> outbox)
{
    open_.emplace(session, Session{std::move(outbox), {}});
}

WorkerId Sessions::close(SessionId session)
{
    const auto entry = open_.find(session);
    if (entry == open_.end())
        return {};
    fan_out_.unfollow(session);
    count_followers();
    auto worker = std::move(entry->second.worker);
    open_.erase(entry);
    return worker;
}

void Sessions::close_all() noexcept
{
    open_.clear();
}

WorkerId Sessions::worker_of(SessionId session) const
{
    const auto entry = open_.find(session);
    return entry == open_.end() ? WorkerId{} : entry->second.worker;
}

void Sessions::bind(SessionId session, const WorkerId& worker)
{
    const auto entry = open_.find(session);
    if (entry != open_.end())
        entry->second.worker = worker;
}

void Sessions::supersede(SessionId session)
{
    const auto entry = open_.find(session);
    if (entry == open_.end())
        return;
    fan_out_.unfollow(session);
    count_followers();
    entry->second.outbox->close(Outbox::Close::superseded);
}

void Sessions::follow(SessionId session, const Subscription& subscription, std::optional<Revision> since)
{
    const auto entry = open_.find(session);
    if (entry == open_.end())
        return;
    fan_out_.follow(session, entry->second.outbox, subscription, since);
    count_followers();
}

void Sessions::publish(std::span<Change> changes)
{
    fan_out_.publish(changes);
}

void Sessions::send(const Delivery& delivery)
{
    const auto entry = open_.find(delivery.session);
    if (entry == open_.end())
        return;
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", delivery.cancelled ? "task_cancelled" : "task_assigned");
    if (delivery.cancelled)
        writer.string("taskId", delivery.task.id.view());
    writer.name("task");
    json::append_task(out, delivery.task);
    if (!delivery.reason.empty())
        writer.string("reason", delivery.reason);
    writer.number("timestamp", to_millis(delivery.at)).close();
    entry->second.outbox->push(std::move(out), Outbox::Kind::lease);
}

void Sessions::count_followers()
{
    metrics_.subscribers = fan_out_.followers();
    metrics_.topics = fan_out_.topics();
}

} // namespace coordination
