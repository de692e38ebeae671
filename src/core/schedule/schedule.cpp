#include "core/schedule/pools.hpp"

#include <algorithm>
#include <cassert>

namespace coordination {

namespace {

WorkerRank rank_of(const Worker& worker) noexcept
{
    return {worker.active_tasks, worker.idle_since, worker.ordinal};
}

TaskAge age_of(const Task& task) noexcept
{
    return {task.waiting_since(), task.ordinal, &task};
}

/// The oldest goes first, so that it is what is looked for, as a rule: then no other is touched, which in a
/// large backlog are all far from the processor.
std::size_t erase_from(std::set<TaskAge>& queue, const TaskAge& age)
{
    if (queue.empty() || *queue.begin() != age)
        return queue.erase(age);
    queue.erase(queue.begin());
    return 1;
}

/// Its row will be read when it is handed out, soon: by then it shall be near.
void fetch_ahead(const Task& row) noexcept
{
    constexpr std::size_t line_bytes = 64;
    const auto* bytes = reinterpret_cast<const char*>(&row);
    for (std::size_t at = 0; at < sizeof(Task); at += line_bytes)
        __builtin_prefetch(bytes + at);
}

bool waits(const Task* task) noexcept
{
    return task && task->ready();
}

} // namespace

Schedule::Schedule(std::uint32_t tasks_per_worker_max, std::chrono::milliseconds aging)
    : tasks_per_worker_max_(tasks_per_worker_max),
      aging_(aging)
{
}

Schedule::~Schedule() = default;

bool Schedule::can_take(const Worker& worker) const noexcept
{
    return worker.online && !worker.draining && worker.active_tasks < tasks_per_worker_max_;
}

std::int64_t Schedule::level(Priority written, Timestamp since, Timestamp now) const noexcept
{
    const auto waited = std::max(now - since, std::chrono::milliseconds{0});
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(written) - waited / aging_);
}

void Schedule::count(Pool& pool, const Worker& worker, int by) const noexcept
{
    const auto step = static_cast<std::size_t>(by);
    pool.present += worker.online && !worker.draining ? step : 0;
    pool.pulling += worker.pulls && can_take(worker) ? step : 0;
}

void Schedule::worker_changed(const Worker* before, const Worker* after)
{
    const bool same_pool = before && after && before->capabilities == after->capabilities;
    Pool* left = before ? &pool_for(before->capabilities) : nullptr;
    Pool* entered = same_pool ? left : (after ? &pool_for(after->capabilities) : nullptr);
    if (left && !same_pool)
        --left->members;
    if (entered && !same_pool)
        ++entered->members;
    if (left)
        count(*left, *before, -1);
    if (entered)
        count(*entered, *after, 1);
    if (left && has_room(*before))
        available_ -= left->available.erase(rank_of(*before));
    if (entered && has_room(*after))
        available_ += entered->available.insert(rank_of(*after)) ? 1 : 0;
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
        const auto written = static_cast<std::size_t>(before->priority);
        auto& demand = demand_for(before->required);
        waiting_ -= erase_from(demand.waiting[written], age_of(*before));
        publish_head(demand, written);
        if (demand.idle())
            ++idle_demands_;
        if (!before->required->groups().empty() && !full_group(before->required))
            reopened_.push_back(before->required.get()); // its next one may be held as well
    }
    if (waits(after)) {
        const auto written = static_cast<std::size_t>(after->priority);
        auto& demand = demand_for(after->required);
        if (demand.idle())
            --idle_demands_;
        auto& queue = demand.waiting[written];
        queue.insert(queue.end(), age_of(*after)); // the youngest, as a rule
        ++waiting_;
        publish_head(demand, written);
    }
    count_running(before, after);
    drop_idle_demands();
}

std::optional<Revision> Schedule::best_worker(const Capabilities& required)
{
    if (full_group(required))
        return std::nullopt;
    auto& demand = demand_for(required);
    drop_idle_demands();
    if (demand.wide) {
        if (demand.bests.empty())
            return std::nullopt;
        return demand.bests.front().ordinal;
    }
    const WorkerRank* best = nullptr;
    for (const Pool* pool : demand.pools)
        if (pool->published && (!best || *pool->published < *best))
            best = &*pool->published;
    if (!best)
        return std::nullopt;
    return best->ordinal;
}

bool Schedule::before(const TaskAge& task, int written, const TaskAge& other, int other_written,
                      Timestamp now) const noexcept
{
    const auto urgency = level(static_cast<Priority>(written), task.since, now);
    const auto other_urgency = level(static_cast<Priority>(other_written), other.since, now);
    return urgency < other_urgency || (urgency == other_urgency && task < other);
}

const Task* Schedule::best_task(const Worker& worker, Timestamp now) const
{
    if (!can_take(worker))
        return nullptr;
    const auto entry = pools_.find(worker.capabilities.get());
    if (entry == pools_.end())
        return nullptr;

    const Pool& pool = *entry->second;
    const TaskAge* best = nullptr;
    int best_written = 0;
    const auto offer = [&](const TaskAge& head, int written) {
        if (best && !before(head, written, *best, best_written, now))
            return;
        best = &head;
        best_written = written;
    };
    for (int written = 0; written < priority_count; ++written) {
        const auto index = static_cast<std::size_t>(written); // of one written priority, the oldest is
        if (pool.broad) {                                     // also the most urgent
            if (!pool.fronts[index].empty())
                offer(*pool.fronts[index].begin(), written);
            continue;
        }
        for (const Demand* demand : pool.demands)
            if (demand->heads[index])
                offer(*demand->heads[index], written);
    }
    return best ? best->row : nullptr;
}

std::string Schedule::first_of(const Capabilities& required)
{
    const auto& names = required->names();
    return names.empty() ? std::string{} : names.front();
}

/// The pools that have all that is required. Looks through those of the rarest capability.
template <class Use>
void Schedule::for_fitting_pools(const Capabilities& required, Use use) const
{
    if (required->names().empty()) {
        for (const auto& [set, pool] : pools_)
            use(*pool);
        return;
    }
    const std::unordered_set<Pool*>* fewest = nullptr;
    for (const auto& name : required->names()) {
        const auto with = pools_with_.find(name);
        if (with == pools_with_.end())
            return; // nobody has it
        if (!fewest || with->second.size() < fewest->size())
            fewest = &with->second;
    }
    for (Pool* pool : *fewest)
        if (pool->capabilities->includes(*required))
            use(*pool);
}

Schedule::Pool& Schedule::pool_for(const Capabilities& capabilities)
{
    auto& slot = pools_[capabilities.get()];
    if (slot)
        return *slot;
    slot = std::make_unique<Pool>();
    slot->capabilities = capabilities;
    const auto link_those_asking = [&](const std::string& first) {
        const auto asking = demands_asking_.find(first);
        if (asking == demands_asking_.end())
            return;
        for (Demand* demand : asking->second)
            if (capabilities->includes(*demand->required))
                link(*slot, *demand);
    };
    link_those_asking({});
    for (const auto& name : capabilities->names()) {
        pools_with_[name].insert(slot.get());
        link_those_asking(name);
    }
    return *slot;
}

Schedule::Demand& Schedule::demand_for(const Capabilities& required)
{
    auto& slot = demands_[required.get()];
    if (!slot) {
        slot = std::make_unique<Demand>();
        slot->required = required;
        ++idle_demands_;
        for (const auto& group : required->groups())
            grouped_[group.get()].push_back(slot.get());
        demands_asking_[first_of(required)].insert(slot.get());
        for_fitting_pools(required, [&](Pool& pool) { link(pool, *slot); });
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
    if (pool.broad) {
        demand.broad_pools.push_back(&pool);
        for (std::size_t written = 0; written < priority_count; ++written)
            if (demand.heads[written])
                pool.fronts[written].insert(*demand.heads[written]);
    } else if (pool.demands.size() > wide_from) {
        broaden(pool);
    }
}

void Schedule::broaden(Pool& pool)
{
    pool.broad = true;
    for (Demand* demand : pool.demands) {
        demand->broad_pools.push_back(&pool);
        for (std::size_t written = 0; written < priority_count; ++written)
            if (demand->heads[written])
                pool.fronts[written].insert(*demand->heads[written]);
    }
}

/// Tells the broad pools that serve a demand which of its tasks goes first now.
void Schedule::publish_head(Demand& demand, std::size_t written)
{
    const auto& queue = demand.waiting[written];
    std::optional<TaskAge> head;
    if (!queue.empty() && !full_group(demand.required))
        head = *queue.begin();
    auto& published = demand.heads[written];
    if (head && published && *head == *published && head->since == published->since) {
        published = head;
        return;
    }
    for (Pool* pool : demand.broad_pools) {
        if (published)
            pool->fronts[written].erase(*published);
        if (head)
            pool->fronts[written].insert(*head);
    }
    published = head;
    if (head)
        fetch_ahead(*head->row);
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
        best = pool.available.front();
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
    if (pool.broad)
        for (Demand* demand : pool.demands)
            std::erase(demand->broad_pools, &pool);
    for (const auto& name : pool.capabilities->names()) {
        const auto with = pools_with_.find(name);
        with->second.erase(&pool);
        if (with->second.empty())
            pools_with_.erase(with);
    }
    pools_.erase(pool.capabilities.get());
}

void Schedule::drop_demand(Demand& demand)
{
    for (Pool* pool : demand.pools) {
        std::erase(pool->demands, &demand);
        std::erase(pool->wide_demands, &demand);
    }
    for (const auto& group : demand.required->groups()) {
        const auto entry = grouped_.find(group.get());
        std::erase(entry->second, &demand);
        if (entry->second.empty())
            grouped_.erase(entry);
    }
    const auto asking = demands_asking_.find(first_of(demand.required));
    asking->second.erase(&demand);
    if (asking->second.empty())
        demands_asking_.erase(asking);
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
