#include "core/engine.hpp"

#include "core/commands/lease.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace coordination {
namespace {

/// How many workers may lose their leases in one call: after a restart those of a whole fleet run out at once, and
/// other calls must not wait for all of them.
constexpr int workers_a_turn = 32;

} // namespace

Result Engine::execute(const Command& command, const Caller& caller, Timestamp now, Effects& effects)
{
    const auto before = effects.changes.size();
    const Worker* speaker = caller.worker.empty() ? nullptr : store_.workers().find(caller.worker.view());
    if (speaker && speaker->session == caller.session)
        store_.touch(caller.worker.view(), now, false); // any message is a sign of life

    Transaction tx(store_, now);
    auto result = std::visit([&](const auto& c) { return apply(tx, c, caller, limits_); }, command);
    if (!result)
        return result;
    if (read_only_ && tx.wrote())
        return tl::unexpected(
            Error{ErrorCode::storage_failed, "the state cannot be made durable at present: try again later"});
    if (tx.wrote()) {
        result->revision = store_.revision();
        tx.commit(effects.changes, effects.undo);
        note(effects.changes, before);
        if (std::holds_alternative<RegisterWorker>(command) && caller.session != 0 && caller.worker.empty())
            deliver_again(result->worker);
    } else {
        tx.commit(effects.changes, effects.undo);
    }
    return result;
}

/// Draws from committed changes what follows from them, whichever command made them.
void Engine::note(const std::vector<Change>& changes, std::size_t from)
{
    for (auto i = from; i < changes.size(); ++i) {
        const auto& change = changes[i];
        if (change.operation == Operation::erase)
            continue;
        if (const auto* worker = std::get_if<Worker>(&change.value)) {
            if (worker->online || worker->active_tasks > 0)
                lease_clock_.watch(worker->ordinal, worker->last_seen);
            if (worker->online && store_.schedule().waiting() > 0 &&
                (roomy_workers_.empty() || roomy_workers_.back() != worker->ordinal))
                roomy_workers_.push_back(worker->ordinal);
        } else if (const auto* task = std::get_if<Task>(&change.value)) {
            if (task->status == TaskStatus::pending)
                ready_tasks_.push_back(task->ordinal);
        } else {
            undelivered_.push_back(std::get<Assignment>(change.value).id);
        }
    }
}

/// A worker is back over a new connection: it may never have received what it has not reported on.
void Engine::deliver_again(const WorkerId& worker)
{
    for (const auto& id : store_.tasks_of(worker.view()))
        if (store_.tasks().find(id.view())->status == TaskStatus::assigned)
            undelivered_.push_back(id);
}

void Engine::assign(const Task& task, const Worker& worker, Timestamp now, Effects& effects)
{
    const auto before = effects.changes.size();
    Transaction tx(store_, now);
    begin_lease(tx, task, worker);
    tx.commit(effects.changes, effects.undo);
    note(effects.changes, before);
}

void Engine::settle(Timestamp now, Effects& effects)
{
    if (read_only_)
        return;
    if (!ready_tasks_.empty())
        place_ready_tasks(now, effects);
    if (!roomy_workers_.empty())
        fill_roomy_workers(now, effects);
    for (const auto& id : undelivered_) {
        const Task* task = store_.tasks().find(id.view());
        if (!task || !is_held(task->status))
            continue;
        const Worker* worker = store_.workers().find(task->assigned_to.view());
        if (worker->session != 0)
            effects.deliveries.push_back({worker->session, *task, now});
    }
    undelivered_.clear();
}

/// Where a worker has room, nothing that it can do was waiting before: so only what became ready now
/// competes.
void Engine::place_ready_tasks(Timestamp now, Effects& effects)
{
    std::vector<const Task*> ready;
    for (const auto ordinal : std::exchange(ready_tasks_, {}))
        if (const Task* task = store_.tasks().at_ordinal(ordinal);
            task && task->status == TaskStatus::pending)
            ready.push_back(task);
    const auto urgency = [&](const Task* task) {
        return std::tuple(store_.schedule().level(*task, now), task->created_at, task->ordinal);
    };
    std::ranges::sort(ready, {}, urgency);
    for (const Task* task : ready) {
        if (task->status != TaskStatus::pending)
            continue; // it was listed twice
        const auto best = store_.schedule().best_worker(task->required);
        if (best)
            assign(*task, *store_.workers().at_ordinal(*best), now, effects);
    }
}

void Engine::fill_roomy_workers(Timestamp now, Effects& effects)
{
    while (!roomy_workers_.empty()) {
        const auto ordinal = roomy_workers_.back();
        const Worker* worker = store_.workers().at_ordinal(ordinal);
        const auto next = worker ? store_.schedule().best_task(*worker, now) : std::nullopt;
        if (next)
            assign(*store_.tasks().at_ordinal(*next), *worker, now, effects);
        else
            std::erase(roomy_workers_, ordinal);
    }
}

void Engine::expire(Timestamp now, Effects& effects)
{
    if (read_only_)
        return;
    for (int turn = 0; turn < workers_a_turn; ++turn) {
        const auto ordinal = lease_clock_.pop_due(now);
        if (!ordinal)
            return;
        const Worker* worker = store_.workers().at_ordinal(*ordinal);
        if (!worker || (!worker->online && worker->active_tasks == 0))
            continue;
        if (worker->last_seen + limits_.heartbeat_timeout > now) {
            lease_clock_.watch(*ordinal, worker->last_seen);
            continue;
        }
        const auto before = effects.changes.size();
        Transaction tx(store_, now);
        time_out(tx, worker->id);
        tx.commit(effects.changes, effects.undo);
        note(effects.changes, before);
    }
}

void Engine::revert(UndoLog log)
{
    store_.revert(std::move(log));
    roomy_workers_.clear();
    ready_tasks_.clear();
    undelivered_.clear();
    for (const auto& [ordinal, worker] : store_.workers().rows())
        if (worker.online || worker.active_tasks > 0)
            lease_clock_.watch(ordinal, worker.last_seen);
}

void Engine::resume(Revision revision, Timestamp now)
{
    store_.continue_from(revision);
    for (const auto& [ordinal, worker] : store_.workers().rows()) {
        if (worker.active_tasks == 0)
            continue;
        store_.touch(worker.id.view(), now, false);
        lease_clock_.watch(ordinal, now);
    }
}

} // namespace coordination
