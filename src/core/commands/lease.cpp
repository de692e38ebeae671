#include "core/commands/lease.hpp"

#include "core/json/slice.hpp"
#include "core/json/write.hpp"

#include <algorithm>
#include <utility>

namespace coordination {
namespace {

Error stale(std::string message)
{
    return {ErrorCode::stale_attempt, std::move(message)};
}

Text error_report(std::string_view message, std::string_view code)
{
    std::string error;
    json::ObjectWriter writer(error);
    writer.string("message", message).string("code", code).close();
    return Text(error);
}

Text crash_report(const Task& task)
{
    return error_report("the worker was lost " + std::to_string(task.leases_lost) +
                            " times while it held this task",
                        "CRASH_LIMIT");
}

/// The task's lease is over and it waits again, in its old place by age.
void wait_again(Task& task, Timestamp now)
{
    task.status = TaskStatus::pending;
    task.reassigned_from = std::exchange(task.assigned_to, WorkerId{});
    task.reassigned_at = now;
    task.progress = Text{};
    task.started = 0;
    task.started_at = Timestamp{};
}

void end(Task& task, TaskStatus terminal, Text outcome, const Transaction& tx)
{
    task.status = terminal;
    task.outcome = std::move(outcome);
    task.ended_at = tx.now();
    task.ended = tx.next_revision();
}

/// Takes the lease off a task that its worker has lost or handed back. True where that failed the task.
bool release(Transaction& tx, Task task, Loss loss)
{
    tx.erase<Assignment>(task.id.view());
    const bool crashed = loss == Loss::crash;
    if (crashed)
        ++task.leases_lost;
    task.last_update = tx.now();
    const bool given_up = crashed && task.leases_lost >= task.crash_limit && !task.cancel_requested();
    if (task.cancel_requested()) {
        end(task, TaskStatus::cancelled, {}, tx);
    } else if (given_up) {
        end(task, TaskStatus::failed, crash_report(task), tx);
    } else {
        remember(task, crashed ? AttemptEnd::lost : AttemptEnd::handed_back, {}, tx);
        wait_again(task, tx.now());
    }
    tx.put(std::move(task), Operation::update);
    return given_up;
}

void put_relieved(Transaction& tx, Worker holder)
{
    holder.active_tasks -= 1;
    holder.idle_since = tx.next_revision();
    tx.put(std::move(holder), Operation::update);
}

bool is_retryable(const TaskPolicy& policy, std::string_view error)
{
    if (error.empty() || json::kind_of(error) != json::Kind::object)
        return true;
    json::Members members(error);
    while (const auto member = members.next())
        if (member->named("code") && json::kind_of(member->value) == json::Kind::string)
            return std::ranges::find(policy.non_retryable, json::unquoted(member->value)) ==
                   policy.non_retryable.end();
    return true;
}

} // namespace

void remember(Task& task, AttemptEnd how, Text error, const Transaction& tx)
{
    auto past = task.past ? *task.past : PastAttempts{};
    if (past.size() >= past_attempts_max)
        past.erase(past.begin());
    PastAttempt attempt{.attempt = task.attempt,
                        .how = how,
                        .worker = task.assigned_to,
                        .fence = task.fence,
                        .started = task.started,
                        .ended = tx.next_revision(),
                        .assigned_at = task.assigned_at,
                        .started_at = task.started_at,
                        .ended_at = tx.now(),
                        .error = std::move(error)};
    if (is_terminal(task.status)) {
        attempt.reopened = std::exchange(attempt.ended, task.ended);
        attempt.reopened_at = std::exchange(attempt.ended_at, task.ended_at);
    }
    past.push_back(std::move(attempt));
    task.past = Shared<PastAttempts>(std::move(past));
}

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
    task.not_before = Timestamp{};
    task.started = 0;
    task.started_at = Timestamp{};
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
    tx.erase<Assignment>(task.id.view());
    task.last_update = tx.now();
    end(task, terminal, std::move(outcome), tx);
    tx.put(std::move(task), Operation::update);
    if (terminal == TaskStatus::completed)
        ++holder.completed_tasks;
    else if (terminal == TaskStatus::failed)
        ++holder.failed_tasks;
    put_relieved(tx, std::move(holder));
}

void fail_attempt(Transaction& tx, const Task& held, Text error, AttemptEnd how)
{
    Task task = held;
    ++task.failures;
    const auto policy = task.policy;
    if (!policy || task.failures >= policy->max_failures || !is_retryable(*policy, error)) {
        end_lease(tx, task, TaskStatus::failed, std::move(error));
        return;
    }
    Worker holder = *tx.state().workers().find(task.assigned_to.view());
    tx.erase<Assignment>(task.id.view());
    task.last_update = tx.now();
    remember(task, how, std::move(error), tx);
    wait_again(task, tx.now());
    if (const auto delay = delay_of(policy->backoff, task.failures, task.ordinal); delay.count() > 0)
        task.not_before = tx.now() + delay;
    tx.put(std::move(task), Operation::update);
    ++holder.failed_tasks;
    put_relieved(tx, std::move(holder));
}

void take_too_long(Transaction& tx, const Task& held)
{
    fail_attempt(
        tx, held,
        error_report("the attempt took longer than " + std::to_string(held.policy->timeout.count()) + " ms",
                     "TIMEOUT"),
        AttemptEnd::timed_out);
}

void end_waiting(Transaction& tx, const Task& waiting, TaskStatus terminal, std::string_view why,
                 std::string_view code)
{
    Task task = waiting;
    task.last_update = tx.now();
    task.not_before = Timestamp{};
    task.outstanding = 0;
    end(task, terminal, code.empty() ? Text{} : error_report(why, code), tx);
    tx.put(std::move(task), Operation::update);
}

void end_all_leases(Transaction& tx, Worker after, Loss loss)
{
    const auto held_now = tx.state().tasks_of(after.id.view());
    const std::vector<TaskId> held(held_now.rbegin(), held_now.rend()); // each release takes the last one off
    for (const auto& id : held) {
        const bool failed = release(tx, *tx.state().tasks().find(id.view()), loss);
        after.failed_tasks += failed ? 1 : 0;
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
