#include "sim/brute_force.hpp"

#include <algorithm>
#include <tuple>

namespace coordination::sim {

bool can_take(const Worker& worker, const Limits& limits)
{
    return worker.online && !worker.draining && worker.active_tasks < limits.tasks_per_worker_max;
}

bool serves(const Worker& worker, const Task& task)
{
    return std::ranges::all_of(task.required->names(),
                               [&](const auto& name) { return worker.capabilities->contains(name); });
}

bool at_running_limit(const StateStore& state, const Task& task)
{
    return std::ranges::any_of(task.required->groups(), [&](const auto& group) {
        const auto running = std::ranges::count_if(state.tasks().rows(), [&](const auto& row) {
            const auto& groups = row.second.required->groups();
            return is_held(row.second.status) && std::ranges::find(groups, group) != groups.end();
        });
        return static_cast<std::uint32_t>(running) >= group->most;
    });
}

const Worker* best_worker(const StateStore& state, const Task& task, const Limits& limits)
{
    const Worker* best = nullptr;
    const auto rank = [](const Worker& w) { return std::tuple(w.active_tasks, w.idle_since, w.ordinal); };
    if (at_running_limit(state, task))
        return nullptr;
    for (const auto& [ordinal, worker] : state.workers().rows())
        if (can_take(worker, limits) && !worker.pulls && serves(worker, task) &&
            (!best || rank(worker) < rank(*best)))
            best = &worker;
    return best;
}

const Task* best_task(const StateStore& state, const Worker& worker, const Limits& limits, Timestamp now)
{
    const Task* best = nullptr;
    const auto urgency = [&](const Task& task) {
        const auto since = std::max(task.created_at, task.ready_at);
        const auto rises = (std::max(now, since) - since) / limits.aging;
        return std::tuple(std::max<std::int64_t>(0, static_cast<std::int64_t>(task.priority) - rises), since,
                          task.ordinal);
    };
    if (!can_take(worker, limits))
        return nullptr;
    for (const auto& [ordinal, task] : state.tasks().rows())
        if (task.status == TaskStatus::pending && task.not_before == Timestamp{} && task.outstanding == 0 &&
            serves(worker, task) && !at_running_limit(state, task) &&
            (!best || urgency(task) < urgency(*best)))
            best = &task;
    return best;
}

} // namespace coordination::sim
