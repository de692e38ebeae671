#include "sim/simulation.hpp"

#include <algorithm>
#include <utility>

namespace coordination::sim {

using namespace std::chrono_literals;

namespace {

Limits random_limits(std::uint64_t seed)
{
    Limits limits;
    limits.tasks_per_worker_max = 1 + static_cast<std::uint32_t>(seed % 3);
    limits.heartbeat_timeout = 1000ms;
    limits.aging = 500ms;
    limits.cancel_grace = 300ms;
    if (seed % 2 == 0)
        limits.running_limits = {{"a", "", 2}, {"", "repo", 1}};
    if (seed % 3 == 0)
        limits.keep_ended_count = 8;
    if (seed % 5 == 0)
        limits.keep_ended_for = 5000ms;
    return limits;
}

} // namespace

Simulation::Simulation(std::uint64_t seed)
    : random_(seed),
      limits_(random_limits(seed)),
      engine_(std::make_unique<Engine>(limits_))
{
}

void Simulation::run(int steps)
{
    for (int n = 0; n < steps; ++n) {
        step();
        settle();
        check();
    }
    finish();
}

Result Simulation::call(const Command& command, const Caller& caller)
{
    effects_.undo = undo_;
    const auto before = engine_->store().revision();
    const auto changes = effects_.changes.size();
    may_reopen_ = std::holds_alternative<RetryTask>(command) || std::holds_alternative<Redrive>(command);
    auto result = engine_->execute(command, caller, now_, effects_);
    const auto made = effects_.changes.size() - changes;
    if (engine_->store().revision() != before + made)
        throw Violation("revisions have gaps");
    if (!result && made != 0)
        throw Violation("a refused call changed something");
    take_in();
    return result;
}

void Simulation::settle()
{
    const auto could_go = about_to_go();
    engine_->settle(now_, effects_);
    // Not always one of those: something more urgent may have become ready on the way.
    const bool some_went = std::ranges::any_of(effects_.changes, [&](const Change& change) {
        const auto* task = std::get_if<Task>(&change.value);
        return task && task->status == TaskStatus::assigned;
    });
    if (!could_go.empty() && !some_went)
        throw Violation("explain said that a task can go, and none went");
    take_in();
}

/// What the changes and the deliveries tell.
void Simulation::take_in()
{
    for (const auto& change : effects_.changes) {
        if (const auto* lease = std::get_if<Assignment>(&change.value);
            lease && change.operation == Operation::set) {
            if (lease->ordinal <= last_fence_)
                throw Violation("a fence did not rise");
            last_fence_ = lease->ordinal;
        } else if (const auto* task = std::get_if<Task>(&change.value)) {
            follow(change, *task);
        }
    }
    for (const auto& delivery : effects_.deliveries)
        for (auto& [name, actor] : actors_)
            if (actor.session == delivery.session && !delivery.cancelled && !actor.stalled)
                actor.leases.push_back({delivery.task.id, delivery.task.attempt, delivery.task.fence});
    effects_.clear();
}

void Simulation::follow(const Change& change, const Task& task)
{
    const std::string id(task.id.view());
    if (change.operation == Operation::erase) {
        if (!is_terminal(task.status))
            throw Violation("an unfinished task was forgotten: " + id);
        ++erased_;
        seen_.erase(id);
        return;
    }
    const auto [entry, fresh] = seen_.try_emplace(id, task);
    if (fresh) {
        ++created_;
        return;
    }
    const Task before = std::exchange(entry->second, task);
    if (is_terminal(before.status) && (!may_reopen_ || before.status == TaskStatus::completed))
        throw Violation("a task that had ended was written to: " + id);
    if (before.cancel_requested() && !is_terminal(before.status) && task.status != TaskStatus::cancelled &&
        !is_held(task.status))
        throw Violation("an acknowledged cancellation was not the end: " + id);
    if (task.attempt < before.attempt || task.fence < before.fence)
        throw Violation("an attempt or a fence went back: " + id);
    if (is_held(task.status) && is_held(before.status) && task.fence != before.fence)
        throw Violation("a task went from worker to worker without its lease ending: " + id);
}

/// Everybody gets well: everything must come to its end.
void Simulation::finish()
{
    for (const auto& [name, actor] : std::exchange(actors_, {}))
        if (engine_->store().workers().find(name))
            call(UnregisterWorker{actor.id});
    Actor& able = actors_["able"];
    able.id = WorkerId("able");
    able.session = ++last_session_;
    call(RegisterWorker{able.id, {"a", "b", "c", "d"}, {}, {}, {}}, {able.session, {}});
    const auto& state = engine_->store();
    const auto unfinished = [&] {
        return state.count(TaskStatus::pending) + state.count(TaskStatus::assigned) +
               state.count(TaskStatus::in_progress);
    };
    for (int round = 0; unfinished() > 0; ++round) {
        if (round > 10'000)
            throw Violation("a task is stranded: " + std::to_string(unfinished()) + " are left");
        settle();
        const auto held_now = state.tasks_of("able");
        for (const auto& id : std::vector<TaskId>(held_now.begin(), held_now.end()))
            call(FinishTask{.id = id, .claim = {}, .completed = true, .outcome = {}}, caller_of(able));
        call(Heartbeat{able.id}, caller_of(able));
        if (const auto due = engine_->next_deadline(); due && *due > now_)
            pass(std::min(*due - now_, std::chrono::milliseconds{500}));
        else
            pass(0ms);
        settle();
        check();
    }
}

} // namespace coordination::sim
