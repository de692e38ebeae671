#include "core/schedule/schedule.hpp"

#include <algorithm>
#include <cassert>

namespace coordination {

struct Schedule::Pool {
    Capabilities capabilities;
    std::size_t members = 0;             ///< workers with these capabilities, with room or without
    std::set<WorkerRank> available;      ///< those with room
    std::optional<WorkerRank> published; ///< the best, as the wide demands know it
    std::vector<Demand*> demands;        ///< those it serves
    std::vector<Demand*> wide_demands;   ///< those among them that keep their pools sorted
};

struct Schedule::Demand {
    Capabilities required;
    std::array<std::set<TaskAge>, priority_count> waiting;
    std::vector<Pool*> pools; ///< those that serve it
    bool wide = false;
    std::set<WorkerRank> bests; ///< where wide: the published best of each pool that has one
    std::uint64_t last_use = 0;

    bool idle() const noexcept
    {
        return std::ranges::all_of(waiting, [](const auto& level) { return level.empty(); });
    }
};

namespace {

WorkerRank rank_of(const Worker& worker) noexcept
{
    return {worker.active_tasks, worker.idle_since, worker.ordinal};
}

TaskAge age_of(const Task& task) noexcept
{
    return {task.created_at, task.ordinal};
}

bool waits(const Task* task) noexcept
{
    return task && task->status == TaskStatus::pending;
}

} // namespace

Schedule::Schedule(std::uint32_t tasks_per_worker_max, std::chrono::milliseconds aging)
    : tasks_per_worker_max_(tasks_per_worker_max),
      aging_(aging)
{
}

Schedule::~Schedule() = default;

bool Schedule::has_room(const Worker& worker) const noexcept
{
    return worker.online && !worker.draining && worker.active_tasks < tasks_per_worker_max_;
}

std::int64_t Schedule::level(Priority written, Timestamp since, Timestamp now) const noexcept
{
    const auto waited = std::max(now - since, std::chrono::milliseconds{0});
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(written) - waited / aging_);
}

void Schedule::worker_changed(const Worker* before, const Worker* after)
{
    const bool same_pool = before && after && before->capabilities == after->capabilities;
    Pool* left = before ? &pool_for(before->capabilities) : nullptr;
    Pool* entered = after ? &pool_for(after->capabilities) : nullptr;
    if (left && !same_pool)
        --left->members;
    if (entered && !same_pool)
        ++entered->members;
    if (left && has_room(*before))
        available_ -= left->available.erase(rank_of(*before));
    if (entered && has_room(*after))
        available_ += entered->available.insert(rank_of(*after)).second ? 1 : 0;
    // In this order: a worker that changes its pool may keep its rank, and a wide demand knows ranks alone.
    if (left && left != entered) {
        publish(*left);
        if (left->members == 0)
            drop_pool(*left);
    }
    if (entered)
        publish(*entered);
}

void Schedule::task_changed(const Task* before, const Task* after)
{
    if (waits(before)) {
        auto& demand = demand_for(before->required);
        waiting_ -= demand.waiting[static_cast<std::size_t>(before->priority)].erase(age_of(*before));
        if (demand.idle())
            ++idle_demands_;
    }
    if (waits(after)) {
        auto& demand = demand_for(after->required);
        if (demand.idle())
            --idle_demands_;
        waiting_ +=
            demand.waiting[static_cast<std::size_t>(after->priority)].insert(age_of(*after)).second ? 1 : 0;
    }
    drop_idle_demands();
}

std::optional<Revision> Schedule::best_worker(const Capabilities& required)
{
    auto& demand = demand_for(required);
    drop_idle_demands();
    if (demand.wide) {
        if (demand.bests.empty())
            return std::nullopt;
        return demand.bests.begin()->ordinal;
    }
    const WorkerRank* best = nullptr;
    for (const Pool* pool : demand.pools)
        if (pool->published && (!best || *pool->published < *best))
            best = &*pool->published;
    if (!best)
        return std::nullopt;
    return best->ordinal;
}

std::optional<Revision> Schedule::best_task(const Worker& worker, Timestamp now) const
{
    if (!has_room(worker))
        return std::nullopt;
    const auto pool = pools_.find(worker.capabilities.get());
    if (pool == pools_.end())
        return std::nullopt;

    std::int64_t best_level = 0;
    const TaskAge* best = nullptr;
    for (const Demand* demand : pool->second->demands) {
        for (int written = 0; written < priority_count; ++written) {
            const auto& queue = demand->waiting[static_cast<std::size_t>(written)];
            if (queue.empty())
                continue;
            const auto& oldest =
                *queue.begin(); // of one written priority, the oldest is also the most urgent
            const auto urgency = level(static_cast<Priority>(written), oldest.since, now);
            if (!best || urgency < best_level || (urgency == best_level && oldest < *best)) {
                best_level = urgency;
                best = &oldest;
            }
        }
    }
    if (!best)
        return std::nullopt;
    return best->ordinal;
}

Schedule::Pool& Schedule::pool_for(const Capabilities& capabilities)
{
    auto& slot = pools_[capabilities.get()];
    if (slot)
        return *slot;
    slot = std::make_unique<Pool>();
    slot->capabilities = capabilities;
    for (auto& [set, demand] : demands_)
        if (capabilities->includes(*demand->required))
            link(*slot, *demand);
    return *slot;
}

Schedule::Demand& Schedule::demand_for(const Capabilities& required)
{
    auto& slot = demands_[required.get()];
    if (!slot) {
        slot = std::make_unique<Demand>();
        slot->required = required;
        ++idle_demands_;
        for (auto& [set, pool] : pools_)
            if (pool->capabilities->includes(*required))
                link(*pool, *slot);
    }
    slot->last_use = ++uses_;
    return *slot;
}

void Schedule::link(Pool& pool, Demand& demand)
{
    pool.demands.push_back(&demand);
    demand.pools.push_back(&pool);
    if (demand.wide) {
        pool.wide_demands.push_back(&demand);
        if (pool.published)
            demand.bests.insert(*pool.published);
    } else if (demand.pools.size() > wide_from) {
        widen(demand);
    }
}

void Schedule::widen(Demand& demand)
{
    demand.wide = true;
    for (Pool* pool : demand.pools) {
        pool->wide_demands.push_back(&demand);
        if (pool->published)
            demand.bests.insert(*pool->published);
    }
}

/// Tells the wide demands of a pool which of its workers is the best now.
void Schedule::publish(Pool& pool)
{
    std::optional<WorkerRank> best;
    if (!pool.available.empty())
        best = *pool.available.begin();
    if (best == pool.published)
        return;
    for (Demand* demand : pool.wide_demands) {
        if (pool.published)
            demand->bests.erase(*pool.published);
        if (best)
            demand->bests.insert(*best);
    }
    pool.published = best;
}

void Schedule::drop_pool(Pool& pool)
{
    assert(pool.available.empty());
    for (Demand* demand : pool.demands)
        std::erase(demand->pools, &pool);
    pools_.erase(pool.capabilities.get());
}

void Schedule::drop_demand(Demand& demand)
{
    for (Pool* pool : demand.pools) {
        std::erase(pool->demands, &demand);
        std::erase(pool->wide_demands, &demand);
    }
    demands_.erase(demand.required.get());
}

/// Halves the idle ones when there are too many, so that the sweep is paid once in many.
void Schedule::drop_idle_demands()
{
    if (idle_demands_ <= idle_demands_max)
        return;
    std::vector<Demand*> idle;
    for (auto& [set, demand] : demands_)
        if (demand->last_use != uses_ && demand->idle())
            idle.push_back(demand.get());
    const auto half = idle.begin() + static_cast<std::ptrdiff_t>(idle.size() / 2);
    std::ranges::nth_element(idle, half, {}, &Demand::last_use);
    for (auto demand = idle.begin(); demand != half; ++demand) {
        drop_demand(**demand);
        --idle_demands_;
    }
}

} // namespace coordination
