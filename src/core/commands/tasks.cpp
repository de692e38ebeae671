#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"
#include "core/json/policy.hpp"
#include "core/json/slice.hpp"

#include <algorithm>

namespace coordination {
namespace {

Error at_running_limit(const RunningGroup& group)
{
    return {ErrorCode::no_available_workers, "No available workers: of " + group.name + " no more than " +
                                                 std::to_string(group.most) + " may run at once"};
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
    if (const auto* full = Schedule::full_group(required))
        return tl::unexpected(at_running_limit(*full));
    return worker;
}

tl::expected<const Worker*, Error> any_worker(StateStore& state, const Capabilities& required)
{
    if (const auto* full = Schedule::full_group(required))
        return tl::unexpected(at_running_limit(*full));
    const auto best = state.schedule().best_worker(required);
    if (!best)
        return tl::unexpected(Error{ErrorCode::no_available_workers, "No available workers"});
    return state.workers().at_ordinal(*best);
}

std::string object_of(const Text& members)
{
    return "{" + std::string(members.view()) + "}";
}

/// Takes over what the caller told of the task; where that is partial, the rest stays as it is known.
void describe(Task& task, const TaskData& told, StateStore& store)
{
    if (!told.partial || task.ordinal == 0) {
        task.priority = told.priority;
        task.payload = told.payload;
        task.required = store.require(told.capabilities, task.payload.view());
        return;
    }
    const auto object = object_of(told.payload);
    if (json::member_named(object, "priority"))
        task.priority = told.priority;
    task.payload = Text(json::amended(object_of(task.payload), object));
    const bool tells_capabilities = json::member_named(object, "capabilities").has_value();
    task.required =
        store.require(tells_capabilities ? told.capabilities : task.required->names(), task.payload.view());
}

/// What keeps a policy from being begun at once.
std::optional<Error> obstacle(const StateStore& state, const TaskPolicy& policy, const Task& task,
                              Timestamp now)
{
    if (policy.run_at > now || policy.delay.count() > 0)
        return invalid_field(policy.run_at > now ? "runAt" : "delayMs",
                             "absent, since assign is at once or not at all: submit the task");
    for (const auto& id : policy.depends_on) {
        const Task* dependency = state.tasks().find(id.view());
        if (!dependency)
            return invalid_field("dependsOn",
                                 "the ids of known tasks, but " + std::string(id.view()) + " is none");
        const bool met = policy.run_despite_failure ? is_terminal(dependency->status)
                                                    : dependency->status == TaskStatus::completed;
        if (!met)
            return Error{ErrorCode::task_conflict, "the task waits for task " + std::string(id.view())};
    }
    const auto& indexes = state.indexes();
    for (const auto other : {indexes.with_unique_key(policy.unique_key.view()),
                             indexes.with_idempotency_key(policy.idempotency_key.view())})
        if (other != 0 && other != task.ordinal)
            return Error{ErrorCode::task_conflict,
                         "task " + std::string(state.tasks().at_ordinal(other)->id.view()) +
                             " has the same key"};
    return std::nullopt;
}

/// Takes over how the caller wants the task to be treated; what it does not name stays as it is known.
tl::expected<void, Error> steer(Task& task, const Shared<TaskPolicy>& told)
{
    const auto object = object_of(told->written);
    if (task.policy) {
        auto both = json::policy_in(json::amended(object_of(task.policy->written), object));
        if (!both)
            return tl::unexpected(std::move(both.error()));
        task.policy = std::move(*both);
    } else {
        task.policy = told;
    }
    if (task.policy->crash_limit > 0)
        task.crash_limit = task.policy->crash_limit;
    if (json::member_named(object, "dependsOn")) // and none of those is an obstacle
        task.outstanding = 0;
    return {};
}

/// Whether a caller tells once more of a failure that was taken, after which the task was to be tried again.
bool repeats_failure(const Task& task, const Caller& caller, const FinishTask& command)
{
    if (command.completed || command.confirms_cancel || !task.past)
        return false;
    const auto& claim = command.claim;
    if (!claim.names_lease()) {
        const auto& last = task.past->back();
        const auto& speaker = caller.worker.empty() && claim.worker ? *claim.worker : caller.worker;
        const bool heard = speaker.empty() ? last.attempt == 1 : speaker == last.worker;
        return task.status == TaskStatus::pending && last.how == AttemptEnd::failed && heard;
    }
    return std::ranges::any_of(*task.past, [&](const PastAttempt& past) {
        return past.how == AttemptEnd::failed && (!claim.attempt || *claim.attempt == past.attempt) &&
               (!claim.fence || *claim.fence == past.fence) &&
               (caller.worker.empty() || caller.worker == past.worker);
    });
}

Result repeat_of_end(const Task& task, const FinishTask& command, Outcome outcome)
{
    const auto terminal = command.completed ? TaskStatus::completed : TaskStatus::failed;
    const bool same =
        command.confirms_cancel ? task.status == TaskStatus::cancelled : task.status == terminal;
    // A cancellation that was acknowledged stays the end, whatever its holder came to.
    if (!same && !(task.status == TaskStatus::cancelled && task.cancel_requested()))
        return tl::unexpected(task_conflict(task));
    outcome.duplicate = true;
    return outcome;
}

} // namespace

Error task_not_found()
{
    return {ErrorCode::task_not_found, "Task not found"};
}

bool is_full_of_tasks(const StateStore& state, const Limits& limits) noexcept
{
    return state.count(TaskStatus::pending) + state.assignments().size() >= limits.tasks_max;
}

Error too_many_tasks(const Limits& limits)
{
    return {ErrorCode::too_many_tasks,
            "as many tasks as may have not ended: " + std::to_string(limits.tasks_max) + " (--tasks-max)"};
}

Error task_conflict(const Task& task)
{
    return {ErrorCode::task_conflict, "the task is " + std::string(name_of(task.status))};
}

Result apply(Transaction& tx, const AssignTask& command, const Caller&, const Limits& limits)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (known && known->status != TaskStatus::pending)
        return tl::unexpected(task_conflict(*known));
    if (!known && is_full_of_tasks(tx.state(), limits))
        return tl::unexpected(too_many_tasks(limits));

    Task task =
        known ? *known : Task{.id = command.id, .crash_limit = limits.crash_limit, .created_at = tx.now()};
    if (command.data || !known)
        describe(task, command.data ? *command.data : TaskData{}, tx.store());
    if (command.policy) {
        if (auto found = obstacle(tx.state(), *command.policy, task, tx.now()))
            return tl::unexpected(std::move(*found));
        auto steered = steer(task, command.policy);
        if (!steered)
            return tl::unexpected(std::move(steered.error()));
    }
    if (task.outstanding > 0)
        return tl::unexpected(Error{ErrorCode::task_conflict, "the task waits for " +
                                                                  std::to_string(task.outstanding) +
                                                                  " of the tasks that it depends on"});
    if (has_expired(task, tx.now()))
        return tl::unexpected(Error{ErrorCode::task_conflict, "the task's expiresAt has passed"});
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
    if (task.started == 0) {
        task.started = tx.next_revision();
        task.started_at = tx.now();
    }
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
    Outcome outcome{.task = known->id, .worker = known->assigned_to};
    if (repeats_failure(*known, caller, command)) {
        outcome.duplicate = true;
        return outcome;
    }
    if (known->status == TaskStatus::pending && known->attempt == 0 && !command.claim.names_lease() &&
        caller.worker.empty())
        return tl::unexpected(task_conflict(*known));
    const auto allowed = may_report(tx.state(), *known, caller, command.claim);
    if (!allowed)
        return tl::unexpected(allowed.error());
    if (is_terminal(known->status))
        return repeat_of_end(*known, command, std::move(outcome));
    if (!is_held(known->status))
        return tl::unexpected(
            Error{ErrorCode::stale_attempt, "the lease has ended: the task waits for another worker"});

    if (known->cancel_requested())
        end_lease(tx, *known, TaskStatus::cancelled, {});
    else if (command.confirms_cancel)
        return tl::unexpected(Error{ErrorCode::task_conflict, "nobody has asked to cancel the task"});
    else if (command.completed)
        end_lease(tx, *known, TaskStatus::completed, command.outcome);
    else
        fail_attempt(tx, *known, command.outcome, AttemptEnd::failed);
    return outcome;
}

} // namespace coordination
