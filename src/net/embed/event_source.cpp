#include "net/embed/event_source.hpp"

#include <optional>
#include <utility>

namespace coordination {
namespace {

std::size_t bytes_of(const Change& change) noexcept
{
    std::size_t bytes = sizeof(Event) + sizeof(Change);
    if (const auto* task = std::get_if<Task>(&change.value))
        bytes += task->payload.size() + task->outcome.size();
    else if (const auto* worker = std::get_if<Worker>(&change.value))
        bytes += worker->metadata.size() + worker->capabilities_json.size();
    return bytes;
}

/// What a change of a task means, beside being one.
std::optional<EventKind> meaning_of(const Change& change, const Task& task) noexcept
{
    if (change.operation == Operation::erase)
        return std::nullopt;
    if (task.status == TaskStatus::assigned && change.operation == Operation::set)
        return EventKind::task_assigned;
    if (!is_terminal(task.status) || task.ended != change.revision)
        return std::nullopt;
    if (task.status == TaskStatus::completed)
        return EventKind::task_completed;
    return task.status == TaskStatus::failed ? EventKind::task_failed : EventKind::task_cancelled;
}

} // namespace

void EventSource::begin(const StateStore& state)
{
    if (std::exchange(begun_, true))
        return;
    for (const auto& [ordinal, worker] : state.workers().rows())
        if (worker.online)
            online_.emplace(worker.id.view());
}

void EventSource::take(std::span<const Change> changes)
{
    if (!begun_)
        return;
    for (const auto& change : changes)
        if (change.is_watched())
            take(change);
}

void EventSource::take(const Change& change)
{
    const auto kept = std::make_shared<const Change>(change);
    if (const auto* worker = std::get_if<Worker>(&change.value))
        take(kept, *worker);
    else if (const auto* task = std::get_if<Task>(&change.value))
        take(kept, *task);
    push(EventKind::state_change, kept);
}

void EventSource::take(const std::shared_ptr<const Change>& change, const Worker& worker)
{
    const std::string id(worker.id.view());
    if (change->operation == Operation::erase) {
        online_.erase(id);
        push(EventKind::worker_unregistered, change);
    } else if (worker.online) {
        online_.insert(id);
        if (change->operation == Operation::set)
            push(EventKind::worker_registered, change);
    } else if (online_.erase(id) != 0) {
        push(EventKind::worker_offline, change);
    }
}

void EventSource::take(const std::shared_ptr<const Change>& change, const Task& task)
{
    if (const auto kind = meaning_of(*change, task))
        push(*kind, change);
}

void EventSource::push(EventKind kind, const std::shared_ptr<const Change>& change)
{
    if (!hub_->wants(kind))
        return;
    Event event{.kind = kind,
                .revision = change->revision,
                .at = change->at,
                .collection = name_of(change->collection()),
                .operation = name_of(change->operation),
                .change = change};
    if (const auto* worker = std::get_if<Worker>(&change->value)) {
        event.worker_id = worker->id.view();
    } else if (const auto* task = std::get_if<Task>(&change->value)) {
        event.task_id = task->id.view();
        event.worker_id = task->assigned_to.view();
        event.attempt = task->attempt;
    } else {
        const auto& assignment = std::get<Assignment>(change->value);
        event.task_id = assignment.id.view();
        event.worker_id = assignment.worker.view();
        event.attempt = assignment.attempt;
    }
    hub_->push(std::move(event), bytes_of(*change));
}

} // namespace coordination
