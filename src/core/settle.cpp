#include "core/commands/lease.hpp"
#include "core/engine.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace coordination {

void Engine::settle(Timestamp now, Effects& effects)
{
    if (read_only_)
        return;
    if (store_.indexes().due_task(now)) // be the timer late or not
        pass_due(now, effects);
    if (!unresolved_.empty())
        resolve(now, effects);
    if (!ready_tasks_.empty())
        place(std::exchange(ready_tasks_, {}), now, effects);
    if (!roomy_workers_.empty())
        fill_roomy_workers(now, effects);
    for (auto heads = store_.schedule().take_reopened(); !heads.empty();
         heads = store_.schedule().take_reopened())
        place(std::move(heads), now, effects);
    tell_workers(now, effects);
    forget_ended(now, effects, 2); // as many may come as go
    forget_done(now, effects, 2);
}

/// Each in a transaction of its own, so that a task on which thousands depend holds up nobody.
void Engine::resolve(Timestamp now, Effects& effects)
{
    for (std::size_t n = 0; n < resolved_max && !unresolved_.empty(); ++n) {
        const Task* task = store_.tasks().at_ordinal(unresolved_.front());
        unresolved_.pop_front();
        if (task && task->status == TaskStatus::pending && task->outstanding > 0)
            transact(now, effects, [&](Transaction& tx) { resolve_dependencies(tx, *task); });
    }
}

/// Unless it is too late for the task: then that is its end.
void Engine::assign(const Task& task, const Worker& worker, Timestamp now, Effects& effects)
{
    transact(now, effects, [&](Transaction& tx) {
        if (has_expired(task, now))
            pass_time(tx, task);
        else
            begin_lease(tx, task, worker);
    });
}

/// Where a worker has room, nothing that it can do was waiting before: so only what became ready now
/// competes.
void Engine::place(std::vector<Revision> ordinals, Timestamp now, Effects& effects)
{
    std::vector<const Task*> ready;
    for (const auto ordinal : ordinals)
        if (const Task* task = store_.tasks().at_ordinal(ordinal); task && task->ready())
            ready.push_back(task);
    const auto urgency = [&](const Task* task) {
        return std::tuple(store_.schedule().level(*task, now), task->waiting_since(), task->ordinal);
    };
    std::ranges::sort(ready, {}, urgency);
    for (const Task* task : ready) {
        if (!task->ready())
            continue; // it was listed twice
        const auto best = store_.schedule().best_worker(task->required);
        if (best)
            assign(*task, *store_.workers().at_ordinal(*best), now, effects);
    }
}

void Engine::fill_roomy_workers(Timestamp now, Effects& effects)
{
    for (int expired = 0; !roomy_workers_.empty() && expired < due_max;) {
        const auto ordinal = roomy_workers_.back();
        const Worker* worker = store_.workers().at_ordinal(ordinal);
        const Task* next = worker && !worker->pulls ? store_.schedule().best_task(*worker, now) : nullptr;
        if (!next) {
            std::erase(roomy_workers_, ordinal);
            continue;
        }
        expired += has_expired(*next, now) ? 1 : 0;
        assign(*next, *worker, now, effects);
    }
}

void Engine::tell_workers(Timestamp now, Effects& effects)
{
    for (const auto& id : std::exchange(undelivered_, {})) {
        const Task* task = store_.tasks().find(id.view());
        if (!task || !is_held(task->status))
            continue;
        const Worker* worker = store_.workers().find(task->assigned_to.view());
        if (worker->session != 0 && !worker->pulls) // else the reply to its claim tells
            effects.deliveries.push_back({worker->session, *task, now});
    }
    tell_stops(now, effects);
}

void Engine::tell_stops(Timestamp now, Effects& effects)
{
    for (auto& stop : std::exchange(stops_, {})) {
        const Task* task = store_.tasks().find(stop.task.view());
        const Worker* holder = store_.workers().find(stop.holder.view());
        if (task && holder && holder->session != 0)
            effects.deliveries.push_back({holder->session, *task, now, true, std::move(stop.reason)});
    }
}

void Engine::forget_ended(Timestamp now, Effects& effects, int tasks_max)
{
    if (!unresolved_.empty() || !store_.indexes().to_forget(limits_, now))
        return; // who depends on a task hears first how it ended
    transact(now, effects, [&](Transaction& tx) {
        for (int n = 0; n < tasks_max; ++n) {
            const Task* oldest = store_.indexes().to_forget(limits_, now);
            if (!oldest)
                return;
            const TaskId id = oldest->id;
            tx.erase<Task>(id.view());
        }
    });
}

/// The oldest message that is only remembered for its id, if that has been long enough or there are too many.
std::optional<MessageIndexes::Done> Engine::done_to_forget(Timestamp now) const noexcept
{
    const auto oldest = store_.message_indexes().oldest_done();
    if (oldest && store_.message_indexes().done() <= limits_.bus.dedup_count &&
        oldest->first + limits_.bus.dedup_window > now)
        return std::nullopt;
    return oldest;
}

void Engine::forget_done(Timestamp now, Effects& effects, int messages_max)
{
    if (!done_to_forget(now))
        return;
    transact(now, effects, [&](Transaction& tx) {
        for (int n = 0; n < messages_max; ++n) {
            const auto oldest = done_to_forget(now);
            if (!oldest)
                return;
            const MessageId id = store_.messages().at_ordinal(oldest->second)->id;
            tx.erase<BusMessage>(id.view());
        }
    });
}

} // namespace coordination
