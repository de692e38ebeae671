#include "core/commands/commands.hpp"
#include "core/commands/filter.hpp"
#include "core/commands/lease.hpp"

namespace coordination {
namespace {

AttemptEnd end_of(const Task& task)
{
    if (task.status == TaskStatus::cancelled)
        return AttemptEnd::cancelled;
    return task.leases_lost >= task.crash_limit ? AttemptEnd::lost : AttemptEnd::failed;
}

/// Another unfinished task has taken its unique key meanwhile.
bool is_replaced(const StateStore& state, const Task& task)
{
    return task.policy && state.indexes().with_unique_key(task.policy->unique_key.view()) != 0;
}

/// A task that has ended waits again, all its chances given anew.
void reopen(Transaction& tx, const Task& ended)
{
    Task task = ended;
    remember(task, end_of(task), task.outcome, tx);
    task.status = TaskStatus::pending;
    if (!task.assigned_to.empty()) {
        task.reassigned_from = task.assigned_to;
        task.reassigned_at = tx.now();
    }
    task.assigned_to = WorkerId{};
    task.outcome = Text{};
    task.progress = Text{};
    task.ended_at = Timestamp{};
    task.ended = 0;
    task.cancel_by = Timestamp{};
    task.not_before = Timestamp{};
    task.started = 0;
    task.started_at = Timestamp{};
    task.leases_lost = 0;
    task.failures = 0;
    task.ready_at = tx.now();
    task.last_update = tx.now();
    task.outstanding = 0;
    if (task.policy)
        for (const auto& id : task.policy->depends_on) {
            const Task* dependency = tx.state().tasks().find(id.view());
            task.outstanding += dependency && dependency->status != TaskStatus::completed ? 1 : 0;
        }
    tx.put(std::move(task), Operation::set);
}

} // namespace

Result apply(Transaction& tx, const RetryTask& command, const Caller&, const Limits&)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (!known)
        return tl::unexpected(task_not_found());
    Outcome outcome{.task = known->id};
    if (known->status == TaskStatus::pending) {
        outcome.duplicate = known->not_before == Timestamp{};
        if (!outcome.duplicate) {
            Task task = *known;
            task.not_before = Timestamp{};
            task.last_update = tx.now();
            tx.put(std::move(task), Operation::update);
        }
        return outcome;
    }
    if (!is_terminal(known->status) || known->status == TaskStatus::completed)
        return tl::unexpected(task_conflict(*known));
    if (is_replaced(tx.state(), *known))
        return tl::unexpected(Error{ErrorCode::task_conflict, "an unfinished task has its uniqueKey"});
    reopen(tx, *known);
    return outcome;
}

Result apply(Transaction& tx, const Redrive& command, const Caller&, const Limits&)
{
    auto filter = command.filter;
    if (!filter.status)
        filter.status = TaskStatus::failed;
    if (*filter.status != TaskStatus::failed && *filter.status != TaskStatus::cancelled)
        return tl::unexpected(invalid_field("status", "failed or cancelled"));
    Outcome outcome;
    outcome.next = select(tx.state(), filter, outcome.tasks);
    std::erase_if(outcome.tasks, [&](const Outcome::Named& named) {
        const Task& task = *tx.state().tasks().find(named.task.view());
        if (is_replaced(tx.state(), task))
            return true;
        if (!command.dry_run)
            reopen(tx, task);
        return false;
    });
    return outcome;
}

} // namespace coordination
