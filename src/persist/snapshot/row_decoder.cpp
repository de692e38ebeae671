#include "persist/snapshot/row_decoder.hpp"

#include "core/json/slice.hpp"
#include "core/store/topics.hpp"

#include <utility>

namespace coordination {
namespace {

/// A name that is no topic any more selects nothing.
TopicMask topics_in(std::string_view subscriptions)
{
    TopicMask mask = 0;
    json::Elements topics(subscriptions);
    while (const auto topic = topics.next())
        if (json::kind_of(*topic) == json::Kind::string)
            mask |= compile_topic(json::unquoted(*topic)).value_or(0);
    return mask;
}

void read_end(RowFields& fields, Task& task)
{
    switch (task.status) {
    case TaskStatus::completed:
        task.outcome = Text(fields.raw("result"));
        task.ended_at = fields.time("completedAt");
        break;
    case TaskStatus::failed:
        task.outcome = Text(fields.raw("error"));
        task.ended_at = fields.time("failedAt");
        break;
    case TaskStatus::cancelled:
        task.ended_at = fields.time("cancelledAt");
        break;
    case TaskStatus::pending:
    case TaskStatus::assigned:
    case TaskStatus::in_progress:
        break;
    }
}

} // namespace

Worker RowDecoder::worker(RowFields& fields, Text id)
{
    Worker worker{.id = WorkerId(std::move(id))};
    ids_.emplace(worker.id.view(), worker.id);
    worker.capabilities = capabilities(fields);
    const auto names = fields.raw("capabilities");
    if (!names.empty() && json::kind_of(names) == json::Kind::array)
        worker.capabilities_json = Text(names);
    const auto metadata = fields.raw("metadata");
    if (!metadata.empty() && json::kind_of(metadata) == json::Kind::object)
        worker.metadata = Text(metadata);
    const auto subscriptions = fields.raw("subscriptions");
    if (subscriptions.size() > 2 && json::kind_of(subscriptions) == json::Kind::array) {
        worker.subscriptions = Text(subscriptions);
        worker.topics = topics_in(subscriptions);
    }
    worker.completed_tasks = fields.number<std::uint64_t>("completedTasks");
    worker.failed_tasks = fields.number<std::uint64_t>("failedTasks");
    worker.registered_at = fields.time("registeredAt");
    worker.last_heartbeat = fields.time("lastHeartbeat");
    worker.last_seen = fields.time("lastSeen");
    return worker;
}

Task RowDecoder::task(RowFields& fields, Text id, TaskStatus status)
{
    Task task{.id = TaskId(std::move(id)), .status = status};
    task.attempt = fields.number<std::uint32_t>("attempt");
    task.leases_lost = fields.number<std::uint32_t>("leasesLost");
    task.fence = fields.number<Revision>("fence");
    task.assigned_to = worker_id(fields.string("assignedTo"));
    task.reassigned_from = worker_id(fields.string("reassignedFrom"));
    const auto progress = fields.raw("progress");
    if (!progress.empty() && json::kind_of(progress) == json::Kind::number)
        task.progress = Text(progress);
    task.created_at = fields.time("createdAt");
    task.last_update = fields.time("lastUpdate");
    task.assigned_at = fields.time("assignedAt");
    task.reassigned_at = fields.time("reassignedAt");
    read_end(fields, task);
    return task;
}

WorkerId RowDecoder::worker_id(const std::string& id)
{
    if (id.empty())
        return {};
    if (const auto known = ids_.find(id); known != ids_.end())
        return known->second;
    const WorkerId fresh{std::string_view(id)};
    return ids_.emplace(fresh.view(), fresh).first->second;
}

Capabilities RowDecoder::capabilities(RowFields& fields)
{
    std::string names(fields.raw("capabilities"));
    if (const auto known = sets_.find(names); known != sets_.end())
        return known->second;
    if (sets_.size() >= sets_max)
        sets_.clear();
    return sets_.emplace(std::move(names), interner_.intern(fields.strings("capabilities"))).first->second;
}

} // namespace coordination
