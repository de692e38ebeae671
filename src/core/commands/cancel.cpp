#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

#include <algorithm>

namespace coordination {

Result apply(Transaction& tx, const CancelTask& command, const Caller&, const Limits& limits)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (!known)
        return tl::unexpected(task_not_found());
    Outcome outcome{.task = known->id, .worker = known->assigned_to};
    if (is_terminal(known->status)) {
        if (known->status != TaskStatus::cancelled)
            return tl::unexpected(task_conflict(*known));
        outcome.duplicate = true;
        return outcome;
    }
    if (known->status == TaskStatus::pending) {
        end_waiting(tx, *known, TaskStatus::cancelled, command.reason,
                    command.reason.empty() ? "" : "CANCELLED");
        return outcome;
    }
    const auto deadline = tx.now() + command.grace.value_or(limits.cancel_grace);
    if (known->cancel_requested() && known->cancel_by <= deadline) {
        outcome.duplicate = true;
        return outcome;
    }
    if (deadline <= tx.now()) {
        Task stopped = *known;
        stopped.cancel_by = tx.now();
        end_lease(tx, stopped, TaskStatus::cancelled, {});
        return outcome;
    }
    Task task = *known;
    task.cancel_by = deadline;
    task.last_update = tx.now();
    tx.put(std::move(task), Operation::update);
    return outcome;
}

} // namespace coordination
