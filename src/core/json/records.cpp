#include "core/json/records.hpp"

#include "core/json/write.hpp"

#include <algorithm>
#include <array>

namespace coordination::json {
namespace {

constexpr std::array<std::string_view, 22> task_fields{
    "id",         "status",         "assignedTo",     "assignedAt",   "lastUpdate",  "progress",
    "result",     "error",          "completedAt",    "failedAt",     "cancelledAt", "attempt",
    "fence",      "createdAt",      "reassignedFrom", "reassignedAt", "leasesLost",  "notBefore",
    "waitingFor", "failedAttempts", "cancelBy",       "pastAttempts"};

void append_time(ObjectWriter& writer, std::string_view key, Timestamp at)
{
    if (at != Timestamp{})
        writer.number(key, to_millis(at));
}

void append_end(ObjectWriter& writer, const Task& task)
{
    switch (task.status) {
    case TaskStatus::completed:
        if (!task.outcome.empty())
            writer.raw("result", task.outcome);
        append_time(writer, "completedAt", task.ended_at);
        break;
    case TaskStatus::failed:
        if (!task.outcome.empty())
            writer.raw("error", task.outcome);
        append_time(writer, "failedAt", task.ended_at);
        break;
    case TaskStatus::cancelled:
        if (!task.outcome.empty())
            writer.raw("error", task.outcome);
        append_time(writer, "cancelledAt", task.ended_at);
        break;
    case TaskStatus::pending:
    case TaskStatus::assigned:
    case TaskStatus::in_progress:
        break;
    }
}

void append_past(ObjectWriter& writer, const PastAttempts& past)
{
    writer.name("pastAttempts");
    auto& out = writer.text();
    out += '[';
    for (const auto& attempt : past) {
        if (&attempt != &past.front())
            out += ',';
        ObjectWriter one(out);
        one.number("attempt", attempt.attempt)
            .number("fence", attempt.fence)
            .string("end", name_of(attempt.how));
        if (!attempt.worker.empty())
            one.string("workerId", attempt.worker.view());
        append_time(one, "assignedAt", attempt.assigned_at);
        append_time(one, "startedAt", attempt.started_at);
        append_time(one, "endedAt", attempt.ended_at);
        one.number("started", attempt.started).number("ended", attempt.ended);
        if (attempt.reopened != 0)
            one.number("reopened", attempt.reopened);
        append_time(one, "reopenedAt", attempt.reopened_at);
        if (!attempt.error.empty())
            one.raw("error", attempt.error);
        one.close();
    }
    out += ']';
}

/// What the task waits for or was through, where it was anything out of the ordinary.
void append_life(ObjectWriter& writer, const Task& task)
{
    append_time(writer, "notBefore", task.not_before);
    if (task.outstanding > 0)
        writer.number("waitingFor", task.outstanding);
    append_time(writer, "cancelBy", task.cancel_by);
    if (task.failures > 0 && task.policy)
        writer.number("failedAttempts", task.failures);
    if (task.past)
        append_past(writer, *task.past);
}

} // namespace

bool owns_task_field(std::string_view key)
{
    return std::ranges::find(task_fields, key) != task_fields.end();
}

void append_task(std::string& out, const Task& task)
{
    constexpr std::size_t other_members = 400; // of a task that is at work: one growth instead of five
    out.reserve(out.size() + task.payload.size() + task.outcome.size() + other_members);
    ObjectWriter writer(out);
    writer.string("id", task.id.view()).members(task.payload).string("status", name_of(task.status));
    if (task.policy)
        writer.members(task.policy->written);
    if (!task.assigned_to.empty())
        writer.string("assignedTo", task.assigned_to.view());
    append_time(writer, "assignedAt", task.assigned_at);
    append_time(writer, "lastUpdate", task.last_update);
    if (!task.progress.empty())
        writer.raw("progress", task.progress);
    append_end(writer, task);
    writer.number("attempt", task.attempt).number("fence", task.fence);
    append_time(writer, "createdAt", task.created_at);
    if (!task.reassigned_from.empty())
        writer.string("reassignedFrom", task.reassigned_from.view());
    append_time(writer, "reassignedAt", task.reassigned_at);
    if (task.leases_lost > 0)
        writer.number("leasesLost", task.leases_lost);
    append_life(writer, task);
    writer.close();
}

void append_worker(std::string& out, const Worker& worker)
{
    ObjectWriter writer(out);
    writer.string("id", worker.id.view())
        .raw("capabilities", worker.capabilities_json.empty() ? "[]" : worker.capabilities_json.view())
        .raw("metadata", worker.metadata.empty() ? "{}" : worker.metadata.view())
        .string("status", name_of(worker.status()))
        .number("activeTasks", worker.active_tasks)
        .number("completedTasks", worker.completed_tasks)
        .number("failedTasks", worker.failed_tasks)
        .number("registeredAt", to_millis(worker.registered_at))
        .number("lastHeartbeat", to_millis(worker.last_heartbeat))
        .number("lastSeen", to_millis(worker.last_seen))
        .raw("subscriptions", worker.subscriptions.empty() ? "[]" : worker.subscriptions.view())
        .close();
}

void append_assignment(std::string& out, const Assignment& assignment)
{
    ObjectWriter writer(out);
    writer.string("taskId", assignment.id.view())
        .string("workerId", assignment.worker.view())
        .number("attempt", assignment.attempt)
        .number("fence", assignment.ordinal)
        .number("assignedAt", to_millis(assignment.assigned_at))
        .close();
}

} // namespace coordination::json
