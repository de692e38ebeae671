#include "net/embed/event.hpp"

#include "core/json/records.hpp"

namespace coordination {

std::string_view name_of(EventKind kind) noexcept
{
    switch (kind) {
    case EventKind::worker_registered:
        return "worker-registered";
    case EventKind::worker_unregistered:
        return "worker-unregistered";
    case EventKind::worker_offline:
        return "worker-offline";
    case EventKind::task_assigned:
        return "task-assigned";
    case EventKind::task_completed:
        return "task-completed";
    case EventKind::task_failed:
        return "task-failed";
    case EventKind::task_cancelled:
        return "task-cancelled";
    case EventKind::state_change:
        return "state-change";
    case EventKind::gap:
        return "gap";
    }
    return {}; // not a value of the enum
}

std::string Event::value() const
{
    std::string json;
    if (!change)
        return json;
    if (const auto* worker = std::get_if<Worker>(&change->value))
        json::append_worker(json, *worker);
    else if (const auto* task = std::get_if<Task>(&change->value))
        json::append_task(json, *task);
    else
        json::append_assignment(json, std::get<Assignment>(change->value));
    return json;
}

} // namespace coordination
