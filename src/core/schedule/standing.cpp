#include "core/schedule/pools.hpp"

#include <unordered_set>
#include <utility>

namespace coordination {

/// Those that serve such tasks, without making a demand of it: who only asks leaves nothing behind.
std::vector<const Schedule::Pool*> Schedule::pools_for(const Capabilities& required) const
{
    if (const auto known = demands_.find(required.get()); known != demands_.end())
        return {known->second->pools.begin(), known->second->pools.end()};
    std::vector<const Pool*> serving;
    for (const auto& [set, pool] : pools_)
        if (pool->capabilities->includes(*required))
            serving.push_back(pool.get());
    return serving;
}

Standing Schedule::standing(const Capabilities& required) const
{
    Standing standing{.full = full_group(required)};
    for (const Pool* pool : pools_for(required)) {
        standing.registered += pool->members;
        standing.present += pool->present;
        standing.pulling += pool->pulling;
        standing.with_room += pool->available.size();
    }
    return standing;
}

std::size_t Schedule::ahead_of(const Task& task, Timestamp now, std::size_t most) const
{
    std::unordered_set<const Demand*> rivals;
    for (const Pool* pool : pools_for(task.required))
        rivals.insert(pool->demands.begin(), pool->demands.end());
    const TaskAge mine{task.waiting_since(), task.ordinal, &task};
    std::size_t ahead = 0;
    for (const Demand* rival : rivals) {
        for (int written = 0; written < priority_count; ++written) {
            for (const auto& other : rival->waiting[static_cast<std::size_t>(written)]) {
                if (ahead >= most || !before(other, written, mine, static_cast<int>(task.priority), now))
                    break;
                ++ahead;
            }
        }
    }
    return ahead;
}

std::size_t Schedule::unplaceable() const noexcept
{
    std::size_t tasks = 0;
    for (const auto& [set, demand] : demands_)
        if (demand->pools.empty())
            for (const auto& queue : demand->waiting)
                tasks += queue.size();
    return tasks;
}

const RunningGroup* Schedule::full_group(const Capabilities& required) noexcept
{
    for (const auto& group : required->groups())
        if (group->full())
            return group.get();
    return nullptr;
}

std::vector<Revision> Schedule::take_reopened()
{
    std::vector<Revision> heads;
    for (const auto* set : std::exchange(reopened_, {})) {
        const auto entry = demands_.find(set);
        if (entry == demands_.end())
            continue;
        for (const auto& head : entry->second->heads)
            if (head)
                heads.push_back(head->ordinal);
    }
    return heads;
}

/// A group counts the held tasks that name it.
void Schedule::count_running(const Task* before, const Task* after)
{
    if (before && is_held(before->status)) {
        for (const auto& group : before->required->groups()) {
            const bool was_full = group->full();
            --group->running;
            if (was_full && !group->full())
                regroup(*group, true);
        }
    }
    if (after && is_held(after->status)) {
        for (const auto& group : after->required->groups()) {
            const bool was_full = group->full();
            ++group->running;
            if (!was_full && group->full())
                regroup(*group, false);
        }
    }
}

/// Opens or closes the demands of a group.
void Schedule::regroup(const RunningGroup& group, bool open)
{
    const auto entry = grouped_.find(&group);
    if (entry == grouped_.end())
        return;
    for (Demand* demand : entry->second) {
        for (std::size_t written = 0; written < priority_count; ++written)
            publish_head(*demand, written);
        if (open)
            reopened_.push_back(demand->required.get());
    }
}

} // namespace coordination
