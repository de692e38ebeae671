#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

namespace coordination {

void pass_time(Transaction& tx, const Task& due)
{
    if (is_held(due.status)) {
        if (due.cancel_requested()) // either has come: its grace, or the end of the attempt's time
            end_lease(tx, due, TaskStatus::cancelled, {});
        else
            take_too_long(tx, due);
        return;
    }
    if (due.policy && due.policy->expires_at != Timestamp{} && due.policy->expires_at <= tx.now()) {
        end_waiting(tx, due, TaskStatus::failed, "no worker began it before expiresAt", "EXPIRED");
        return;
    }
    Task task = due;
    task.ready_at = due.not_before;
    task.not_before = Timestamp{};
    task.last_update = tx.now();
    tx.put(std::move(task), Operation::update);
}

} // namespace coordination
