#include "core/events.hpp"

namespace coordination {
namespace {

void add_attempt(std::vector<TaskEvent>& events, std::uint32_t attempt, const WorkerId& worker, Revision fence,
                 Timestamp assigned_at, Revision started, Timestamp started_at)
{
    if (fence == 0)
        return;
    events.push_back({"assigned", fence, assigned_at, attempt, worker, {}});
    if (started != 0)
        events.push_back({"in_progress", started, started_at, attempt, worker, {}});
}

} // namespace

std::vector<TaskEvent> events_of(const Task& task)
{
    std::vector<TaskEvent> events;
    events.push_back({"submitted", task.ordinal, task.created_at, 0, {}, {}});
    Revision latest_fence = 0;
    for (const auto& past : task.past ? *task.past : PastAttempts{}) {
        if (past.fence != latest_fence) // one that was reopened while it waited has none of its own
            add_attempt(events, past.attempt, past.worker, past.fence, past.assigned_at, past.started,
                        past.started_at);
        latest_fence = past.fence;
        events.push_back(
            {name_of(past.how), past.ended, past.ended_at, past.attempt, past.worker, past.error});
        if (past.reopened != 0)
            events.push_back({"retried", past.reopened, past.reopened_at, past.attempt, {}, {}});
    }
    if (task.fence != latest_fence)
        add_attempt(events, task.attempt, task.assigned_to, task.fence, task.assigned_at, task.started,
                    task.started_at);
    if (is_terminal(task.status))
        events.push_back(
            {name_of(task.status), task.ended, task.ended_at, task.attempt, task.assigned_to, task.outcome});
    return events;
}

} // namespace coordination
