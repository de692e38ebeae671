#include "core/commands/lease.hpp"

#include "core/json/write.hpp"

#include <utility>

namespace coordination {
namespace {

Error stale(std::string message)
{
    return {ErrorCode::stale_attempt, std::move(message)};
}

Text crash_report(const Task& task)
{
    std::string error;
    json::ObjectWriter writer(error);
    writer.string("message", "the worker was lost " + std::to_string(task.leases_lost) +
                                 " times while it held this task");
    writer.string("code", "CRASH_LIMIT").close();
    return Text(error);
}

/// Takes the lease off a task that its worker has lost or handed back. True where that ended the task.
bool release(Transaction& tx, Task task, Loss loss)
{
    tx.erase<Assignment>(task.id.view());
    if (loss == Loss::crash)
        ++task.leases_lost;
    task.last_update = tx.now();
    const bool given_up = loss == Loss::crash && task.leases_lost >= task.crash_limit;
    if (given_up) {
        task.status = TaskStatus::failed;
        task.outcome = crash_report(task);
        task.ended_at = tx.now();
    } else {
        task.status = TaskStatus::pending;
        task.reassigned_from = std::exchange(task.assigned_to, WorkerId{});
        task.reassigned_at = tx.now();
        task.progress = Text{};
    }
    tx.put(std::move(task), Operation::update);
    return given_up;
}

} // namespace

void begin_lease(Transaction& tx, Task task, const Worker& worker)
{
    Worker holder = worker;
    const auto fence = tx.next_revision();
    task.status = TaskStatus::assigned;
    task.attempt += 1;
    task.fence = fence;
    task.assigned_to = holder.id;
    task.assigned_at = tx.now();
    task.last_update = tx.now();
    tx.put(Assignment{task.id, holder.id, task.attempt, fence, tx.now()}, Operation::set);
    tx.put(std::move(task), Operation::set);
    holder.active_tasks += 1;
    holder.idle_since = tx.next_revision();
    tx.put(std::move(holder), Operation::update);
}

void end_lease(Transaction& tx, const Task& held, TaskStatus terminal, Text outcome)
{
    Task task = held;
    Worker holder = *tx.state().workers().find(task.assigned_to.view());
    task.status = terminal;
    task.outcome = std::move(outcome);
    task.ended_at = tx.now();
    task.last_update = tx.now();
    tx.erase<Assignment>(task.id.view());
    tx.put(std::move(task), Operation::update);
    (terminal == TaskStatus::completed ? holder.completed_tasks : holder.failed_tasks) += 1;
    holder.active_tasks -= 1;
    holder.idle_since = tx.next_revision();
    tx.put(std::move(holder), Operation::update);
}

void end_all_leases(Transaction& tx, Worker after, Loss loss)
{
    const auto held_now = tx.state().tasks_of(after.id.view());
    const std::vector<TaskId> held(held_now.rbegin(), held_now.rend()); // each release takes the last one off
    for (const auto& id : held) {
        const bool ended = release(tx, *tx.state().tasks().find(id.view()), loss);
        after.failed_tasks += ended ? 1 : 0;
    }
    if (!held.empty())
        after.idle_since = tx.next_revision();
    after.active_tasks = 0;
    tx.put(std::move(after), Operation::update);
}

tl::expected<void, Error> may_report(const StateStore& state, const Task& task, const Caller& caller,
                                     const LeaseClaim& claim)
{
    const auto& holder = task.assigned_to;
    if (claim.attempt && *claim.attempt != task.attempt)
        return tl::unexpected(stale("attempt " + std::to_string(*claim.attempt) +
                                    " is not the live one, which is " + std::to_string(task.attempt)));
    if (claim.fence && *claim.fence != task.fence)
        return tl::unexpected(stale("fence " + std::to_string(*claim.fence) + " is not the live one"));
    if (claim.worker && *claim.worker != holder)
        return tl::unexpected(stale("the task is not held by worker " + std::string(claim.worker->view())));
    if (!caller.worker.empty()) {
        const Worker* worker = state.workers().find(caller.worker.view());
        if (caller.worker != holder || !worker || worker->session != caller.session)
            return tl::unexpected(stale("this worker does not hold the task"));
        return {};
    }
    // Terminal tasks are exempt: the same end again is a duplicate, whichever attempt ended it.
    const bool anonymous = !claim.names_lease() && !claim.worker;
    if (anonymous && task.attempt != 1 && !is_terminal(task.status))
        return tl::unexpected(stale("the task is at attempt " + std::to_string(task.attempt) +
                                    ": name the attempt, the fence or the worker that is meant"));
    return {};
}

} // namespace coordination
