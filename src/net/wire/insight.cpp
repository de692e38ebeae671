#include "net/wire/insight.hpp"

#include "core/events.hpp"
#include "core/json/write.hpp"

namespace coordination::wire {
namespace {

void append_reason(std::string& out, const Reason& reason)
{
    json::ObjectWriter writer(out);
    writer.string("reason", name_of(reason.kind)).string("text", reason.text);
    if (reason.count > 0)
        writer.number("count", reason.count);
    if (reason.at != Timestamp{})
        writer.number("until", to_millis(reason.at));
    if (!reason.names.empty()) {
        writer.name("names");
        char before = '[';
        for (const auto& name : reason.names) {
            out += before;
            json::append_string(out, name);
            before = ',';
        }
        out += ']';
    }
    writer.close();
}

void append_event(std::string& out, const TaskEvent& event)
{
    json::ObjectWriter writer(out);
    writer.string("event", event.what)
        .number("revision", event.revision)
        .number("timestamp", to_millis(event.at));
    if (event.attempt > 0)
        writer.number("attempt", event.attempt);
    if (!event.worker.empty())
        writer.string("workerId", event.worker.view());
    if (!event.reason.empty())
        writer.raw("reason", event.reason);
    writer.close();
}

template <class Items, class Append>
void append_array(json::ObjectWriter& writer, std::string_view name, const Items& items, Append append)
{
    writer.name(name);
    auto& out = writer.text();
    out += '[';
    for (const auto& item : items) {
        if (&item != &items.front())
            out += ',';
        append(out, item);
    }
    out += ']';
}

} // namespace

void append_explanation(std::string& out, const StateStore& state, const Task& task, Timestamp now)
{
    json::ObjectWriter writer(out);
    writer.string("taskId", task.id.view())
        .string("status", name_of(task.status))
        .number("revision", state.revision());
    append_array(writer, "reasons", explain(state, task, now), append_reason);
    writer.close();
}

void append_events(std::string& out, const Task& task)
{
    json::ObjectWriter writer(out);
    writer.string("taskId", task.id.view()).string("status", name_of(task.status));
    append_array(writer, "events", events_of(task), append_event);
    writer.close();
}

} // namespace coordination::wire
