#include "net/wire/replies.hpp"

#include "core/json/records.hpp"

#include <vector>

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

void append_worker(json::ObjectWriter& writer, std::string& out, const WorkerId& id, const StateStore& state)
{
    if (const Worker* worker = state.workers().find(id.view())) {
        writer.name("worker");
        json::append_worker(out, *worker);
    }
}

/// Calls `append` for each, with commas between.
template <class Append>
void append_all(json::ObjectWriter& writer, const std::vector<Outcome::Named>& tasks, Append append)
{
    writer.name("tasks");
    auto& out = writer.text();
    out += '[';
    for (const auto& named : tasks) {
        if (&named != &tasks.front())
            out += ',';
        append(out, named);
    }
    out += ']';
}

void append_submitted(std::string& out, const Outcome::Named& named)
{
    json::ObjectWriter writer(out);
    writer.string("taskId", named.task.view());
    if (named.duplicate)
        writer.boolean("duplicate", true);
    writer.close();
}

/// A worker without a connection hears with its heartbeats which of its tasks it shall stop.
void append_stops(json::ObjectWriter& writer, const StateStore& state, const WorkerId& worker)
{
    std::vector<TaskId> stops;
    for (const auto& id : state.tasks_of(worker.view()))
        if (state.tasks().find(id.view())->cancel_requested())
            stops.push_back(id);
    if (stops.empty())
        return;
    writer.name("cancelled");
    append_ids(writer.text(), stops);
}

void append_selection(json::ObjectWriter& writer, const Outcome& outcome)
{
    writer.number("count", outcome.tasks.size());
    append_all(writer, outcome.tasks, [](std::string& out, const Outcome::Named& named) {
        json::append_string(out, named.task.view());
    });
    if (outcome.next != 0)
        writer.number("nextCursor", outcome.next);
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
        append_worker(writer, out, outcome.worker, state);
        break;
    case Telling::heartbeat:
        writer.number("timestamp", to_millis(context.now));
        append_stops(writer, state, outcome.worker);
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
    case Telling::submission:
        append_task(writer, out, outcome.task, state);
        if (outcome.duplicate)
            writer.boolean("duplicate", true);
        break;
    case Telling::batch:
        append_all(writer, outcome.tasks, append_submitted);
        if (outcome.duplicate)
            writer.boolean("duplicate", true);
        break;
    case Telling::selection:
        append_selection(writer, outcome);
        break;
    case Telling::claim:
        append_all(writer, outcome.tasks, [&](std::string& text, const Outcome::Named& named) {
            json::append_task(text, *state.tasks().find(named.task.view()));
        });
        break;
    case Telling::worker_change:
        append_worker(writer, out, outcome.worker, state);
        if (outcome.duplicate)
            writer.boolean("duplicate", true);
        break;
    case Telling::publication:
        writer.string("messageId", outcome.message.view());
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
