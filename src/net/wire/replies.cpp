#include "net/wire/replies.hpp"

#include "core/json/records.hpp"

namespace coordination::wire {
namespace {

void append_task(json::ObjectWriter& writer, std::string& out, const TaskId& id, const StateStore& state)
{
    if (const Task* task = state.tasks().find(id.view())) {
        writer.name("task");
        json::append_task(out, *task);
    }
}

void append_ids(std::string& out, std::span<const TaskId> ids)
{
    out += '[';
    for (const auto& id : ids) {
        if (out.back() != '[')
            out += ',';
        json::append_string(out, id.view());
    }
    out += ']';
}

} // namespace

void append_outcome(json::ObjectWriter& writer, Telling telling, const Outcome& outcome,
                    const StateStore& state, const ReplyContext& context)
{
    auto& out = writer.text();
    switch (telling) {
    case Telling::done:
        break;
    case Telling::registration:
        if (const Worker* worker = state.workers().find(outcome.worker.view())) {
            writer.name("worker");
            json::append_worker(out, *worker);
        }
        break;
    case Telling::heartbeat:
        writer.number("timestamp", to_millis(context.now));
        break;
    case Telling::assignment:
        append_task(writer, out, outcome.task, state);
        writer.string("workerId", outcome.worker.view());
        break;
    case Telling::task_change:
        append_task(writer, out, outcome.task, state);
        if (outcome.duplicate)
            writer.boolean("duplicate", true);
        break;
    }
    if (context.changed)
        writer.number("revision", context.revision).string("durable", name_of(context.durability));
}

void append_registration(json::ObjectWriter& writer, const Rhythm& rhythm, const WorkerId& worker,
                         const StateStore& state, const ReplyContext& context)
{
    writer.string("workerId", worker.view())
        .number("timestamp", to_millis(context.now))
        .string("sessionId", std::to_string(context.session))
        .number("heartbeatInterval", rhythm.heartbeat_interval.count())
        .number("heartbeatTimeout", rhythm.heartbeat_timeout.count())
        .name("tasks");
    append_ids(writer.text(), state.tasks_of(worker.view()));
}

Error task_not_found()
{
    return {ErrorCode::task_not_found, "Task not found"};
}

Error worker_not_found()
{
    return {ErrorCode::worker_not_found, "Worker not found"};
}

} // namespace coordination::wire
