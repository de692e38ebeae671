#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace coordination {
namespace {

/// The tasks of one call by id: they may name each other before they are there.
using Batch = std::unordered_map<std::string_view, const NewTask*>;

Error unknown_dependency(std::string_view id)
{
    return invalid_field("dependsOn", "the ids of known tasks, but " + std::string(id) + " is none");
}

/// A task that was submitted before, if this is the same once more.
tl::expected<const Task*, Error> earlier(const StateStore& state, const NewTask& fresh)
{
    const auto& tasks = state.tasks();
    if (const Task* known = tasks.find(fresh.id.view())) {
        if (known->body != fresh.body || fresh.body == 0)
            return tl::unexpected(Error{ErrorCode::task_conflict,
                                        "a task with this id is there already and asks for something else"});
        return known;
    }
    if (!fresh.policy)
        return nullptr;
    if (const auto ordinal = state.indexes().with_idempotency_key(fresh.policy->idempotency_key.view())) {
        const Task* known = tasks.at_ordinal(ordinal);
        if (known->body != fresh.body)
            return tl::unexpected(
                Error{ErrorCode::task_conflict, "task " + std::string(known->id.view()) +
                                                    " has this idempotencyKey and asks for something else"});
        return known;
    }
    if (const auto ordinal = state.indexes().with_unique_key(fresh.policy->unique_key.view()))
        return tasks.at_ordinal(ordinal);
    return nullptr;
}

tl::expected<void, Error> check_dependencies(const StateStore& state, const Batch& batch)
{
    for (const auto& [id, task] : batch) {
        if (!task->policy || state.tasks().find(id))
            continue;
        for (const auto& dependency : task->policy->depends_on)
            if (!batch.contains(dependency.view()) && !state.tasks().find(dependency.view()))
                return tl::unexpected(unknown_dependency(dependency.view()));
    }
    return {};
}

/// A cycle can only stand within one call, since all else depends on what was there before. Takes away, again
/// and again, what depends on nothing that is left (Kahn): what then stays is on a cycle or behind one.
tl::expected<void, Error> check_cycles(const StateStore& state, const Batch& batch)
{
    std::unordered_map<std::string_view, std::size_t> waits_for;
    std::unordered_map<std::string_view, std::vector<std::string_view>> dependents;
    for (const auto& [id, task] : batch) {
        auto& count = waits_for[id];
        if (!task->policy || state.tasks().find(id))
            continue;
        for (const auto& dependency : task->policy->depends_on) {
            if (!batch.contains(dependency.view()))
                continue;
            ++count;
            dependents[dependency.view()].push_back(id);
        }
    }
    std::vector<std::string_view> free;
    for (const auto& [id, count] : waits_for)
        if (count == 0)
            free.push_back(id);
    std::size_t freed = 0;
    for (; freed < free.size(); ++freed)
        for (const auto dependent : dependents[free[freed]])
            if (--waits_for[dependent] == 0)
                free.push_back(dependent);
    if (freed < waits_for.size())
        return tl::unexpected(invalid_field("dependsOn", "free of cycles"));
    return {};
}

/// How many of its dependencies have not been met. One that failed counts until resolve_dependencies() has
/// drawn the consequence.
std::uint32_t outstanding_of(const StateStore& state, const TaskPolicy& policy)
{
    std::uint32_t outstanding = 0;
    for (const auto& id : policy.depends_on) {
        const Task* dependency = state.tasks().find(id.view());
        const bool met = dependency && (dependency->status == TaskStatus::completed ||
                                        (policy.run_despite_failure && is_terminal(dependency->status)));
        outstanding += met ? 0 : 1;
    }
    return outstanding;
}

/// A task of the call that another one with its key stands for has not been made: nothing can depend on it.
tl::expected<void, Error> check_standins(const StateStore& state, const SubmitTasks& command,
                                         const Outcome& outcome)
{
    for (std::size_t n = 0; n < command.tasks.size(); ++n) {
        const auto& fresh = command.tasks[n];
        if (!fresh.policy || outcome.tasks[n].duplicate)
            continue;
        for (const auto& id : fresh.policy->depends_on)
            if (!state.tasks().find(id.view()))
                return tl::unexpected(
                    Error{ErrorCode::task_conflict, "another task with the same key stands for " +
                                                        std::string(id.view()) + ", on which " +
                                                        std::string(fresh.id.view()) + " depends"});
    }
    return {};
}

Task task_of(const NewTask& fresh, Transaction& tx, const Limits& limits)
{
    Task task{.id = fresh.id, .payload = fresh.data.payload};
    task.required = tx.store().require(fresh.data.capabilities, fresh.data.payload);
    task.priority = fresh.data.priority;
    task.crash_limit = limits.crash_limit;
    task.created_at = tx.now();
    task.body = fresh.body;
    if (!fresh.policy)
        return task;
    task.policy = fresh.policy;
    if (fresh.policy->crash_limit > 0)
        task.crash_limit = fresh.policy->crash_limit;
    const auto start = std::max(fresh.policy->run_at, tx.now() + fresh.policy->delay);
    if (start > tx.now())
        task.not_before = start;
    task.outstanding = outstanding_of(tx.state(), *fresh.policy);
    return task;
}

} // namespace

Result apply(Transaction& tx, const SubmitTasks& command, const Caller&, const Limits& limits)
{
    Batch batch;
    for (const auto& fresh : command.tasks)
        if (const auto [known, added] = batch.emplace(fresh.id.view(), &fresh);
            !added && known->second->body != fresh.body)
            return tl::unexpected(invalid_field("taskId", "another one for each task of a call"));
    if (auto known = check_dependencies(tx.state(), batch); !known)
        return tl::unexpected(std::move(known.error()));
    if (auto acyclic = check_cycles(tx.state(), batch); !acyclic)
        return tl::unexpected(std::move(acyclic.error()));

    Outcome outcome;
    for (const auto& fresh : command.tasks) {
        auto before = earlier(tx.state(), fresh);
        if (!before)
            return tl::unexpected(std::move(before.error()));
        if (*before) {
            outcome.tasks.push_back({(*before)->id, true});
            continue;
        }
        if (is_full_of_tasks(tx.state(), limits))
            return tl::unexpected(too_many_tasks(limits));
        tx.put(task_of(fresh, tx, limits), Operation::set);
        outcome.tasks.push_back({fresh.id, false});
    }
    if (auto there = check_standins(tx.state(), command, outcome); !there)
        return tl::unexpected(std::move(there.error()));
    if (outcome.tasks.size() == 1) {
        outcome.task = outcome.tasks.front().task;
        outcome.duplicate = outcome.tasks.front().duplicate;
    }
    return outcome;
}

void resolve_dependencies(Transaction& tx, const Task& waiting)
{
    const auto& policy = *waiting.policy;
    if (!policy.run_despite_failure) {
        for (const auto& id : policy.depends_on) {
            const Task* dependency = tx.state().tasks().find(id.view());
            if (!dependency || !is_terminal(dependency->status) ||
                dependency->status == TaskStatus::completed)
                continue;
            const auto why = "task " + std::string(id.view()) + ", on which it depends, is " +
                             std::string(name_of(dependency->status));
            end_waiting(tx, waiting, TaskStatus::cancelled, why, "DEPENDENCY_FAILED");
            return;
        }
    }
    std::uint32_t outstanding = 0;
    for (const auto& id : policy.depends_on) { // one that is not kept any more had been met
        const Task* dependency = tx.state().tasks().find(id.view());
        outstanding += dependency && !is_terminal(dependency->status) ? 1 : 0;
    }
    if (outstanding == waiting.outstanding)
        return;
    Task task = waiting;
    task.outstanding = outstanding;
    task.last_update = tx.now();
    if (outstanding == 0)
        task.ready_at = tx.now();
    tx.put(std::move(task), Operation::update);
}

} // namespace coordination
