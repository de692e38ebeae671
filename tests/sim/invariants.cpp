#include "core/explain.hpp"
#include "sim/brute_force.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <map>

namespace coordination::sim {
namespace {

std::string name(const Task& task)
{
    return std::string(task.id.view()) + " (" + std::string(name_of(task.status)) + ")";
}

bool has(const std::vector<Reason>& reasons, Reason::Kind kind)
{
    return std::ranges::find(reasons, kind, &Reason::kind) != reasons.end();
}

} // namespace

void Simulation::check()
{
    const auto& state = engine_->store();
    check_leases();
    check_waiting();
    if (chance(25))
        check_recount();
    if (created_ != state.tasks().size() + erased_)
        throw Violation("tasks have vanished: " + std::to_string(created_) + " were made, " +
                        std::to_string(state.tasks().size()) + " are there, " + std::to_string(erased_) +
                        " were forgotten");
}

void Simulation::check_leases() const
{
    const auto& state = engine_->store();
    std::map<std::string_view, std::uint32_t> held;
    std::size_t leases = 0;
    for (const auto& [ordinal, task] : state.tasks().rows()) {
        const Assignment* lease = state.assignments().find(task.id.view());
        if ((lease != nullptr) != is_held(task.status))
            throw Violation("lease and status disagree: " + name(task));
        if (is_held(task.status) && task.cancel_requested() &&
            task.cancel_by <= now_ - std::chrono::seconds(1))
            throw Violation("a grace did not end: " + name(task));
        if (!lease)
            continue;
        ++leases;
        ++held[lease->worker.view()];
        if (lease->worker != task.assigned_to || lease->ordinal != task.fence ||
            lease->attempt != task.attempt)
            throw Violation("the lease is not the task's: " + name(task));
        for (const auto& group : task.required->groups())
            if (group->running > group->most)
                throw Violation("more run than may of " + group->name);
    }
    if (leases != state.assignments().size())
        throw Violation("a lease without a task");
    for (const auto& [ordinal, worker] : state.workers().rows()) {
        const auto count = held[worker.id.view()];
        if (worker.active_tasks != count || state.tasks_of(worker.id.view()).size() != count)
            throw Violation("the load of " + std::string(worker.id.view()) + " is not what it holds");
        if (count > limits_.tasks_per_worker_max)
            throw Violation("a worker holds more than it may");
    }
}

/// Each waiting task waits for something that is so.
void Simulation::check_waiting()
{
    const auto& store = engine_->store();
    for (const auto& [ordinal, task] : store.tasks().rows()) {
        if (task.status != TaskStatus::pending)
            continue;
        const auto reasons = explain(store, task, now_);
        if (reasons.empty() || has(reasons, Reason::Kind::can_go))
            throw Violation("waits for nothing: " + name(task));
        if (task.not_before != Timestamp{} &&
            engine_->next_deadline().value_or(Timestamp::max()) > task.not_before)
            throw Violation("nothing will wake it: " + name(task));
        if (task.outstanding > 0) {
            const auto& ids = task.policy->depends_on;
            const auto unfinished = std::ranges::count_if(ids, [&](const TaskId& id) {
                const Task* dependency = store.tasks().find(id.view());
                return dependency && !is_terminal(dependency->status);
            });
            if (static_cast<std::uint32_t>(unfinished) != task.outstanding)
                throw Violation("what it waits for is miscounted: " + name(task));
        }
        const auto count = [&](auto&& admits) {
            return std::ranges::count_if(store.workers().rows(), [&](const auto& row) {
                return serves(row.second, task) && admits(row.second);
            });
        };
        const bool nobody = count([](const Worker&) { return true; }) == 0;
        const bool present = count([](const Worker& w) { return w.online && !w.draining; }) > 0;
        if (has(reasons, Reason::Kind::no_such_worker) != nobody ||
            has(reasons, Reason::Kind::nobody_present) != (!nobody && !present) ||
            has(reasons, Reason::Kind::running_limit) != at_running_limit(store, task) ||
            has(reasons, Reason::Kind::waits_for_time) != (task.not_before != Timestamp{}) ||
            has(reasons, Reason::Kind::waits_for_tasks) != (task.outstanding > 0))
            throw Violation("explained wrongly: " + name(task));
        if (task.ready() && best_worker(store, task, limits_))
            throw Violation("waits although a worker could take it: " + name(task));
    }
}

/// The indexes say what looking at every row says, and what a store that was just built from the rows says.
void Simulation::check_recount()
{
    auto& store = engine_->store();
    StateStore fresh(limits_);
    for (const auto& [ordinal, worker] : store.workers().rows())
        fresh.restore(worker);
    for (const auto& [ordinal, task] : store.tasks().rows()) {
        Task copy = task; // requirements are interned for each store
        copy.required = fresh.capabilities().intern(task.required->names());
        fresh.restore(std::move(copy));
    }
    const auto& mine = store.indexes();
    const auto& other = fresh.indexes();
    if (store.schedule().waiting() != fresh.schedule().waiting() ||
        store.schedule().available() != fresh.schedule().available() ||
        store.schedule().unplaceable() != fresh.schedule().unplaceable() ||
        mine.next_due() != other.next_due() || mine.ended() != other.ended() ||
        mine.ended_bytes() != other.ended_bytes() || mine.dependents() != other.dependents())
        throw Violation("an index differs from a recount");
    for (const auto& [ordinal, worker] : store.workers().rows()) {
        const Task* expected = best_task(store, worker, limits_, now_);
        if (store.schedule().best_task(worker, now_) != expected)
            throw Violation("the wrong next task for " + std::string(worker.id.view()));
    }
    for (const auto& [ordinal, task] : store.tasks().rows()) {
        const Worker* expected = best_worker(store, task, limits_);
        const auto found = store.schedule().best_worker(task.required);
        if (found != (expected ? std::optional(expected->ordinal) : std::nullopt))
            throw Violation("the wrong worker for " + name(task));
    }
}

/// The tasks that explain says the next step hands out.
std::set<Revision> Simulation::about_to_go()
{
    std::set<Revision> tasks;
    const auto& store = engine_->store();
    for (const auto& [ordinal, task] : store.tasks().rows())
        if (task.status == TaskStatus::pending && has(explain(store, task, now_), Reason::Kind::can_go))
            tasks.insert(ordinal);
    return tasks;
}

/// A report counts for the live lease alone.
void Simulation::check_report(const FinishTask& command, const Caller& caller, const Task& before,
                              const Result& result)
{
    const bool live = is_held(before.status) &&
                      (!command.claim.fence || *command.claim.fence == before.fence) &&
                      (!command.claim.attempt || *command.claim.attempt == before.attempt) &&
                      (caller.worker.empty() || caller.worker == before.assigned_to);
    if (result && !result->duplicate && !live)
        throw Violation("a report was taken that was not the holder's: " + name(before));
    if (result && result->duplicate && result->revision != 0)
        throw Violation("a repeat changed something: " + name(before));
    if (!result && live && !command.confirms_cancel && (command.claim.fence || !caller.worker.empty()))
        throw Violation("the holder was refused: " + name(before) + ": " + result.error().message);
}

} // namespace coordination::sim
