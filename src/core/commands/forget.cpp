#include "core/commands/commands.hpp"
#include "core/commands/filter.hpp"

namespace coordination {

Result apply(Transaction& tx, const DeleteTask& command, const Caller&, const Limits&)
{
    const Task* known = tx.state().tasks().find(command.id.view());
    if (!known)
        return tl::unexpected(task_not_found());
    if (!is_terminal(known->status))
        return tl::unexpected(
            Error{ErrorCode::task_conflict,
                  "the task is " + std::string(name_of(known->status)) + ": cancel it first"});
    if (is_awaited(tx.state(), *known))
        return tl::unexpected(
            Error{ErrorCode::task_conflict, "tasks that depend on it are still being cancelled: try again"});
    Outcome outcome{.task = known->id};
    tx.erase<Task>(command.id.view());
    return outcome;
}

Result apply(Transaction& tx, const PurgeTasks& command, const Caller&, const Limits&)
{
    if (command.filter.status && !is_terminal(*command.filter.status))
        return tl::unexpected(invalid_field("status", "completed, failed or cancelled"));
    Outcome outcome;
    outcome.next = select(tx.state(), command.filter, outcome.tasks);
    std::erase_if(outcome.tasks, [&](const Outcome::Named& named) {
        const Task& task = *tx.state().tasks().find(named.task.view());
        return !is_terminal(task.status) || is_awaited(tx.state(), task);
    });
    if (!command.dry_run)
        for (const auto& named : outcome.tasks)
            tx.erase<Task>(named.task.view());
    return outcome;
}

} // namespace coordination
