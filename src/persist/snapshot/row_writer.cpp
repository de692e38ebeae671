#include "persist/snapshot/row_writer.hpp"

#include "core/json/records.hpp"
#include "core/json/write.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace coordination {
namespace {

std::string_view text_of(const std::string& name)
{
    return name;
}
std::string_view text_of(const WorkerId& id)
{
    return id.view();
}

template <class Texts>
void append_texts(json::ObjectWriter& writer, std::string_view key, const Texts& texts)
{
    writer.name(key);
    auto& out = writer.text();
    char before = '[';
    for (const auto& text : texts) {
        out += before;
        json::append_string(out, text_of(text));
        before = ',';
    }
    out += texts.empty() ? "[]" : "]";
}

void append_number(json::ObjectWriter& writer, std::string_view key, std::uint64_t number)
{
    if (number != 0)
        writer.number(key, number);
}

void append_time(json::ObjectWriter& writer, std::string_view key, Timestamp at)
{
    if (at != Timestamp{})
        writer.number(key, to_millis(at));
}

/// Opens the last member of the row whose text ends `out`.
void open_hidden(std::string& out)
{
    out.back() = ','; // was the row's closing brace
    out += R"("_":)";
}

/// White space is all that a line end can be in a row: the text inside JSON strings has none. Whoever embeds
/// the engine may have handed in such a payload.
void keep_on_one_line(std::string& out, std::size_t row)
{
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(row), out.end(), '\n', ' ');
}

} // namespace

void append_row(std::string& out, const Worker& worker)
{
    const auto row = out.size();
    json::append_worker(out, worker);
    open_hidden(out);
    json::ObjectWriter hidden(out);
    hidden.number("ordinal", worker.ordinal).number("idleSince", worker.idle_since);
    append_texts(hidden, "capabilities", worker.capabilities->names());
    if (worker.draining)
        hidden.boolean("draining", true);
    if (worker.wants_values)
        hidden.boolean("values", true);
    if (worker.coalesces)
        hidden.boolean("coalesces", true);
    if (worker.watch_budget != 0)
        hidden.number("watchBudget", worker.watch_budget);
    if (worker.pulls)
        hidden.boolean("pulls", true);
    append_time(hidden, "drainBy", worker.drain_by);
    if (worker.message_topics)
        append_texts(hidden, "messageTopics", *worker.message_topics);
    hidden.close();
    out += '}';
    keep_on_one_line(out, row);
}

void append_row(std::string& out, const Task& task)
{
    const auto row = out.size();
    json::append_task(out, task);
    open_hidden(out);
    json::ObjectWriter hidden(out);
    hidden.number("ordinal", task.ordinal).string("priority", name_of(task.priority));
    append_texts(hidden, "capabilities", task.required->names());
    hidden.number("crashLimit", task.crash_limit);
    append_time(hidden, "readyAt", task.ready_at);
    append_time(hidden, "startedAt", task.started_at);
    append_number(hidden, "started", task.started);
    append_number(hidden, "ended", task.ended);
    append_number(hidden, "body", task.body);
    hidden.close();
    out += '}';
    keep_on_one_line(out, row);
}

void append_row(std::string& out, const BusMessage& message)
{
    const auto row = out.size();
    json::ObjectWriter writer(out);
    writer.string("id", message.id.view()).string("state", name_of(message.state));
    if (message.state != MessageState::done) {
        writer.string("topic", message.topic.view())
            .raw("payload", message.payload.empty() ? "null" : message.payload.view())
            .string("priority", name_of(message.priority))
            .number("maxRetries", message.max_retries);
        if (!message.sender.empty())
            writer.string("sender", message.sender.view());
        append_texts(writer, "receivers", pending_receivers(message));
    }
    writer.string("guarantee", name_of(message.guarantee));
    append_time(writer, "publishedAt", message.published_at);
    append_time(writer, "expires", message.expires_at);
    append_time(writer, "doneAt", message.done_at);
    if (message.state == MessageState::dead)
        writer.string("reason", message.reason.view()).string("original", message.original.view());
    writer.name("_");
    json::ObjectWriter hidden(out);
    hidden.number("ordinal", message.ordinal);
    if (message.named)
        hidden.boolean("named", true);
    if (message.priority_as_number)
        hidden.boolean("number", true);
    hidden.close();
    writer.close();
    keep_on_one_line(out, row);
}

} // namespace coordination
