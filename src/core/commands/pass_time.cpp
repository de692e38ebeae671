#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

namespace coordination {

bool has_expired(const Task& waiting, Timestamp now) noexcept
{
    return waiting.policy && waiting.policy->expires_at != Timestamp{} && waiting.policy->expires_at <= now;
}

void pass_time(Transaction& tx, const Task& due)
{
    if (is_held(due.status)) {
        if (due.cancel_requested()) // either has come: its grace, or the end of the attempt's time
            end_lease(tx, due, TaskStatus::cancelled, {});
        else
            take_too_long(tx, due);
        return;
    }
    if (has_expired(due, tx.now())) {
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
