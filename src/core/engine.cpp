#include "core/engine.hpp"

#include <utility>

namespace coordination {
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
        follow_up(command, caller, *result);
    } else {
        tx.commit(effects.changes, effects.undo);
    }
    if (result->post)
        effects.posts.push_back(std::move(result->post));
    return result;
}

/// What a command that wrote something means for those who hold leases.
void Engine::follow_up(const Command& command, const Caller& caller, const Outcome& outcome)
{
    if (std::holds_alternative<RegisterWorker>(command)) {
        if (caller.session != 0 && caller.worker.empty())
            deliver_again(outcome.worker);
    } else if (const auto* cancel = std::get_if<CancelTask>(&command)) {
        if (!outcome.worker.empty())
            stops_.push_back({outcome.task, outcome.worker, cancel->reason});
    }
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
            if (worker->online && !worker->pulls && store_.schedule().waiting() > 0 &&
                (roomy_workers_.empty() || roomy_workers_.back() != worker->ordinal))
                roomy_workers_.push_back(worker->ordinal);
        } else if (const auto* task = std::get_if<Task>(&change.value)) {
            note(change, *task);
        } else if (const auto* lease = std::get_if<Assignment>(&change.value)) {
            undelivered_.push_back(lease->id);
        }
    }
}

void Engine::note(const Change& change, const Task& task)
{
    if (task.ready())
        ready_tasks_.push_back(task.ordinal);
    else if (task.outstanding > 0 && change.operation == Operation::set)
        unresolved_.push_back(task.ordinal);
    if (is_terminal(task.status) || change.operation == Operation::set) // it ended, or was brought back
        for (const auto dependent : store_.indexes().dependents_of(task.id.view()))
            unresolved_.push_back(dependent);
}

/// A worker is back over a new connection: it may never have received what it has not reported on.
void Engine::deliver_again(const WorkerId& worker)
{
    for (const auto& id : store_.tasks_of(worker.view())) {
        const Task& task = *store_.tasks().find(id.view());
        if (task.status == TaskStatus::assigned)
            undelivered_.push_back(id);
        if (task.cancel_requested())
            stops_.push_back({id, worker, {}});
    }
}

bool Engine::has_work_for(std::string_view worker, Timestamp now) const
{
    const Worker* row = store_.workers().find(worker);
    return row && store_.schedule().best_task(*row, now);
}

void Engine::watch_everyone()
{
    for (const auto& [ordinal, worker] : store_.workers().rows())
        if (worker.online || worker.active_tasks > 0)
            lease_clock_.watch(ordinal, worker.last_seen);
}

void Engine::revert(UndoLog log)
{
    store_.revert(std::move(log));
    roomy_workers_.clear();
    ready_tasks_.clear();
    undelivered_.clear();
    stops_.clear();
    const auto waiting = store_.indexes().dependents(); // what was to be resolved may have been forgotten
    unresolved_.assign(waiting.begin(), waiting.end());
    watch_everyone();
}

void Engine::resume(Revision revision, Timestamp now)
{
    store_.continue_from(revision);
    for (const auto& [ordinal, worker] : store_.workers().rows())
        if (worker.active_tasks > 0)
            store_.touch(worker.id.view(), now, false);
    const auto waiting = store_.indexes().dependents();
    unresolved_.assign(waiting.begin(), waiting.end());
    watch_everyone();
}

} // namespace coordination
