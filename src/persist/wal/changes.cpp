#include "persist/wal/changes.hpp"

#include "core/json/slice.hpp"
#include "core/json/write.hpp"
#include "persist/snapshot/row_writer.hpp"
#include "persist/wal/bytes.hpp"
#include "persist/wal/segment_format.hpp"

#include <fmt/format.h>

#include <cassert>
#include <type_traits>
#include <utility>

namespace coordination {
namespace {

constexpr std::size_t revision_at = 1;
constexpr std::size_t length_at = 5;
constexpr std::size_t entry_header_bytes = 9;

tl::unexpected<std::string> wrong(std::string what)
{
    return tl::unexpected(std::move(what));
}

template <class Record>
constexpr LoggedKind kind_of(bool ends) noexcept
{
    if constexpr (std::is_same_v<Record, Worker>)
        return ends ? LoggedKind::worker_end : LoggedKind::worker;
    else if constexpr (std::is_same_v<Record, BusMessage>)
        return ends ? LoggedKind::message_end : LoggedKind::message;
    else
        return ends ? LoggedKind::task_end : LoggedKind::task;
}

/// Begins an entry; its text is then appended, and end_entry() called.
std::size_t begin_entry(std::string& out, LoggedKind kind, Revision revision, Revision first)
{
    const auto begin = out.size();
    out.resize(begin + entry_header_bytes);
    out[begin] = static_cast<char>(kind);
    bytes::put(out, begin + revision_at, static_cast<std::uint32_t>(revision - first));
    return begin;
}

void end_entry(std::string& out, std::size_t begin)
{
    bytes::put(out, begin + length_at, static_cast<std::uint32_t>(out.size() - begin - entry_header_bytes));
}

template <class Record>
void append_entry(std::string& out, const Change& change, const Record& row, Revision first)
{
    const bool ends = change.operation == Operation::erase;
    const auto begin = begin_entry(out, kind_of<Record>(ends), change.revision, first);
    if (ends)
        out += row.id.view();
    else
        append_row(out, row);
    end_entry(out, begin);
}

/// One that many have still to get is not written anew for each that has it.
void append_message(std::string& out, const Change& change, const BusMessage& message, Revision first)
{
    if (change.operation != Operation::update || message.state != MessageState::live) {
        append_entry(out, change, message, first);
        return;
    }
    const auto begin = begin_entry(out, LoggedKind::message_settled, change.revision, first);
    out += '[';
    json::append_string(out, message.id.view());
    out += ',';
    json::append_string(out, message.last_settled.view());
    out += ']';
    end_entry(out, begin);
}

/// The same for all collections: a new row's place is free, a known one keeps it.
template <class Record>
bool fits(const Table<Record>& table, const Record& row, Revision revision)
{
    if (const Record* known = table.find(row.id.view()))
        return known->ordinal == row.ordinal;
    return row.ordinal > 0 && row.ordinal <= revision && !table.at_ordinal(row.ordinal);
}

} // namespace

void append_record_of(std::string& out, std::span<const Change> changes)
{
    assert(!changes.empty());
    const auto begin = out.size();
    const auto first = changes.front().revision;
    begin_record(out, first, changes.back().revision);
    for (const auto& change : changes) {
        if (const auto* worker = std::get_if<Worker>(&change.value))
            append_entry(out, change, *worker, first);
        else if (const auto* task = std::get_if<Task>(&change.value))
            append_entry(out, change, *task, first);
        else if (const auto* message = std::get_if<BusMessage>(&change.value))
            append_message(out, change, *message, first);
    }
    end_record(out, begin);
}

std::optional<LoggedChange> LoggedChanges::next() noexcept
{
    if (rest_.empty() || malformed_)
        return std::nullopt;
    malformed_ = true; // until all of it was looked at
    if (rest_.size() < entry_header_bytes)
        return std::nullopt;
    const auto kind = static_cast<std::uint8_t>(rest_[0]);
    const Revision revision = first_ + bytes::get<std::uint32_t>(rest_, revision_at);
    const std::size_t length = bytes::get<std::uint32_t>(rest_, length_at);
    if (kind < static_cast<std::uint8_t>(LoggedKind::worker) ||
        kind > static_cast<std::uint8_t>(LoggedKind::message_settled) || revision <= told_ ||
        revision > last_ || length > rest_.size() - entry_header_bytes)
        return std::nullopt;
    const LoggedChange change{static_cast<LoggedKind>(kind), revision,
                              rest_.substr(entry_header_bytes, length)};
    rest_.remove_prefix(entry_header_bytes + length);
    told_ = revision;
    malformed_ = false;
    return change;
}

Replay::Step Replay::apply(std::string_view payload, Revision first, Revision last)
{
    LoggedChanges changes(payload, first, last);
    while (const auto change = changes.next()) {
        auto step = apply(*change);
        if (!step)
            return wrong(fmt::format("revision {}: {}", change->revision, step.error()));
    }
    if (changes.malformed())
        return wrong("what it holds is not a row of changes");
    store_.continue_from(last); // the last change may have been an assignment's
    return {};
}

Replay::Step Replay::apply(const LoggedChange& change)
{
    switch (change.kind) {
    case LoggedKind::worker:
        return write_worker(change);
    case LoggedKind::task:
        return write_task(change);
    case LoggedKind::worker_end:
        return end_worker(change);
    case LoggedKind::task_end:
        return end_task(change);
    case LoggedKind::message:
        return write_message(change);
    case LoggedKind::message_end:
        return end_message(change);
    case LoggedKind::message_settled:
        return settle_message(change);
    }
    __builtin_unreachable();
}

Replay::Step Replay::write_worker(const LoggedChange& change)
{
    auto worker = rows_.worker(change.text);
    if (!worker)
        return wrong(std::move(worker.error()));
    if (!fits(store_.workers(), *worker, change.revision))
        return wrong("the worker's ordinal is another's");
    store_.replay(change.revision, std::move(*worker));
    return {};
}

Replay::Step Replay::write_task(const LoggedChange& change)
{
    auto task = rows_.task(change.text);
    if (!task)
        return wrong(std::move(task.error()));
    if (!fits(store_.tasks(), *task, change.revision))
        return wrong("the task's ordinal is another's");
    auto checked = check_lease(*task, change.revision);
    if (checked)
        store_.replay(change.revision, std::move(*task));
    return checked;
}

Replay::Step Replay::check_lease(const Task& task, Revision revision) const
{
    if (!is_held(task.status))
        return {};
    if (!store_.workers().find(task.assigned_to.view()))
        return wrong("the task is held by a worker that does not exist");
    if (task.fence == 0 || task.fence > revision || task.attempt == 0)
        return wrong("the task is held without an attempt or a fence");
    const Assignment* same_fence = store_.assignments().at_ordinal(task.fence);
    if (same_fence && (same_fence->id != task.id || same_fence->worker != task.assigned_to ||
                       same_fence->attempt != task.attempt || same_fence->assigned_at != task.assigned_at))
        return wrong("the task's fence is another lease's");
    return {};
}

Replay::Step Replay::end_worker(const LoggedChange& change)
{
    const Worker* worker = store_.workers().find(change.text);
    if (!worker)
        return wrong("a worker ends that does not exist");
    if (!store_.tasks_of(change.text).empty())
        return wrong("a worker ends that holds a task");
    const WorkerId id = worker->id;
    store_.replay_erase(change.revision, id);
    return {};
}

Replay::Step Replay::end_task(const LoggedChange& change)
{
    const Task* task = store_.tasks().find(change.text);
    if (!task)
        return wrong("a task ends that does not exist");
    const TaskId id = task->id;
    store_.replay_erase(change.revision, id);
    return {};
}

Replay::Step Replay::write_message(const LoggedChange& change)
{
    auto message = rows_.message(change.text);
    if (!message)
        return wrong(std::move(message.error()));
    if (!fits(store_.messages(), *message, change.revision))
        return wrong("the message's ordinal is another's");
    store_.replay(change.revision, std::move(*message));
    return {};
}

Replay::Step Replay::end_message(const LoggedChange& change)
{
    const BusMessage* message = store_.messages().find(change.text);
    if (!message)
        return wrong("a message ends that does not exist");
    const MessageId id = message->id;
    store_.replay_erase(change.revision, id);
    return {};
}

Replay::Step Replay::settle_message(const LoggedChange& change)
{
    constexpr std::size_t depth_max = 1;
    std::vector<std::string> names;
    if (json::validate(change.text, depth_max) && json::kind_of(change.text) == json::Kind::array) {
        json::Elements elements(change.text);
        while (const auto element = elements.next())
            names.push_back(json::kind_of(*element) == json::Kind::string ? json::unquoted(*element) : "");
    }
    if (names.size() != 2)
        return wrong("not a message's id and a receiver's");
    const BusMessage* message = store_.messages().find(names[0]);
    const WorkerId receiver{std::string_view(names[1])};
    if (!message || message->pending < 2 || !is_pending(*message, receiver))
        return wrong("a message was settled for one that did not have to get it");
    const MessageId id = message->id;
    store_.replay_settle(change.revision, id, receiver);
    return {};
}

Replay::Step Replay::check() const
{
    for (const auto& [ordinal, worker] : store_.workers().rows())
        if (worker.active_tasks != store_.tasks_of(worker.id.view()).size())
            return wrong(fmt::format("worker {} tells of {} tasks that it holds, and holds {}",
                                     worker.id.view(), worker.active_tasks,
                                     store_.tasks_of(worker.id.view()).size()));
    return {};
}

} // namespace coordination
