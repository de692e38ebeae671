#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

namespace coordination {
namespace {

constexpr int expired_max = 256; ///< that one call ends on its way; their own timers see to the rest

/// The answer to a claim is the worker's word that it has begun.
void begin(Transaction& tx, const TaskId& id)
{
    Task task = *tx.state().tasks().find(id.view());
    task.status = TaskStatus::in_progress;
    task.started = tx.next_revision();
    task.started_at = tx.now();
    task.last_update = tx.now();
    tx.put(std::move(task), Operation::update);
}

} // namespace

Result apply(Transaction& tx, const ClaimTasks& command, const Caller& caller, const Limits&)
{
    if (!caller.worker.empty() && caller.worker != command.worker)
        return tl::unexpected(invalid_field("workerId", "the worker of this connection"));
    const Worker* worker = tx.state().workers().find(command.worker.view());
    if (!worker)
        return tl::unexpected(worker_not_found());
    tx.store().touch(command.worker.view(), tx.now(), true);
    if (!worker->online || !worker->pulls) {
        Worker puller = *worker;
        puller.online = true;
        puller.pulls = true;
        tx.put(std::move(puller), Operation::update);
    }
    Outcome outcome{.worker = command.worker};
    const auto held_now = tx.state().tasks_of(command.worker.view());
    const std::vector<TaskId> held(held_now.begin(), held_now.end());
    for (const auto& id : held) {
        const bool sent = tx.state().tasks().find(id.view())->status == TaskStatus::in_progress;
        if (outcome.tasks.size() == command.max || (sent && !command.resume))
            continue;
        if (!sent)
            begin(tx, id);
        outcome.tasks.push_back({id, sent});
    }
    for (int expired = 0; outcome.tasks.size() < command.max && expired < expired_max;) {
        const Worker& row = *tx.state().workers().find(command.worker.view());
        const Task* next = tx.state().schedule().best_task(row, tx.now());
        if (!next)
            break;
        if (has_expired(*next, tx.now())) {
            pass_time(tx, *next);
            ++expired;
            continue;
        }
        const TaskId id = next->id;
        begin_lease(tx, *next, row);
        begin(tx, id);
        outcome.tasks.push_back({id, false});
    }
    return outcome;
}

} // namespace coordination
