#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

#include <algorithm>

namespace coordination {
namespace {

Error task_not_found()
{
    return {ErrorCode::task_not_found, "Task not found"};
}

Error task_conflict(const Task& task)
{
    return {ErrorCode::task_conflict, "the task is " + std::string(name_of(task.status))};
}

/// The named worker, if it may take a task with these requirements now.
tl::expected<const Worker*, Error> named_worker(const StateStore& state, const WorkerId& id,
                                                const Capabilities& required, const Limits& limits)
{
    const Worker* worker = state.workers().find(id.view());
    if (!worker)
        return tl::unexpected(Error{ErrorCode::worker_not_found, "Worker not found"});
    if (!worker->online || worker->draining)
        return tl::unexpected(Error{ErrorCode::worker_offline, "Worker is offline"});
    const auto& has = *worker->capabilities;
    const auto lacks = [&has](const std::string& name) { return !has.contains(name); };
    const auto lacking = std::ranges::find_if(required->names(), lacks);
    if (lacking != required->names().end())
        return tl::unexpected(
            Error{ErrorCode::capability_mismatch, "Worker lacks the capability " + *lacking});
    if (worker->active_tasks >= limits.tasks_per_worker_max)
        return tl::unexpected(Error{ErrorCode::worker_at_capacity, "Worker at capacity"});
    return worker;
}

tl::expected<const Worker*, Error> any_worker(StateStore& state, const Capabilities& required)
{
    const auto best = state.schedule().best_worker(required);
    if (!best)
        return tl::unexpected(Error{ErrorCode::no_available_workers, "No available workers"});
    return state.workers().at_ordinal(*best);
}

} // namespace

Result apply(Transaction& tx, const AssignTask& command, const Caller&, const Limits& limits)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (known && known->status != TaskStatus::pending)
        return tl::unexpected(task_conflict(*known));

    Task task =
        known ? *known : Task{.id = command.id, .crash_limit = limits.crash_limit, .created_at = tx.now()};
    if (command.data || !known) {
        const TaskData data = command.data ? *command.data : TaskData{};
        task.payload = data.payload;
        task.priority = data.priority;
        task.required = tx.store().capabilities().intern(data.capabilities);
    }
    const auto worker = command.worker ? named_worker(tx.state(), *command.worker, task.required, limits)
                                       : any_worker(tx.store(), task.required);
    if (!worker)
        return tl::unexpected(worker.error());

    Outcome outcome{.task = task.id, .worker = (*worker)->id};
    begin_lease(tx, std::move(task), **worker);
    return outcome;
}

Result apply(Transaction& tx, const UpdateTask& command, const Caller& caller, const Limits&)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (!known)
        return tl::unexpected(task_not_found());
    const auto allowed = may_report(tx.state(), *known, caller, command.claim);
    if (!allowed)
        return tl::unexpected(allowed.error());
    if (!is_held(known->status)) {
        if (!caller.worker.empty())
            return tl::unexpected(
                Error{ErrorCode::stale_attempt, "this worker does not hold the task any more"});
        return tl::unexpected(task_conflict(*known));
    }
    Task task = *known;
    task.status = TaskStatus::in_progress;
    if (!command.progress.empty())
        task.progress = command.progress;
    task.last_update = tx.now();
    Outcome outcome{.task = task.id, .worker = task.assigned_to};
    tx.put(std::move(task), Operation::update);
    return outcome;
}

Result apply(Transaction& tx, const FinishTask& command, const Caller& caller, const Limits&)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (!known)
        return tl::unexpected(task_not_found());
    if (known->status == TaskStatus::pending && known->attempt == 0 && !command.claim.names_lease() &&
        caller.worker.empty())
        return tl::unexpected(task_conflict(*known));
    const auto allowed = may_report(tx.state(), *known, caller, command.claim);
    if (!allowed)
        return tl::unexpected(allowed.error());

    const auto terminal = command.completed ? TaskStatus::completed : TaskStatus::failed;
    Outcome outcome{.task = known->id, .worker = known->assigned_to};
    if (is_terminal(known->status)) {
        if (known->status != terminal)
            return tl::unexpected(task_conflict(*known));
        outcome.duplicate = true;
        return outcome;
    }
    if (!is_held(known->status))
        return tl::unexpected(
            Error{ErrorCode::stale_attempt, "the lease has ended: the task waits for another worker"});
    end_lease(tx, *known, terminal, command.outcome);
    return outcome;
}

} // namespace coordination
