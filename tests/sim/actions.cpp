#include "sim/simulation.hpp"

#include "core/json/policy.hpp"
#include "persist/snapshot/row_reader.hpp"
#include "persist/snapshot/row_writer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <type_traits>
#include <utility>

namespace coordination::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 4> letters{"a", "b", "c", "d"};

} // namespace

void Simulation::step()
{
    const auto dice = below(100);
    if (dice < 22)
        return submit();
    if (dice < 26)
        return assign();
    if (dice < 36 || actors_.empty())
        return join();
    auto& actor = std::next(actors_.begin(), static_cast<std::ptrdiff_t>(below(actors_.size())))->second;
    if (dice < 62)
        return report(actor);
    if (dice < 66)
        return claim(actor);
    if (dice < 72)
        return leave(actor);
    if (dice < 82)
        return steer();
    if (dice < 96)
        return pass(std::chrono::milliseconds(below(chance(20) ? 1500 : 200)));
    if (dice < 98)
        return restart();
    lose_writes();
}

void Simulation::submit()
{
    SubmitTasks command;
    std::vector<std::string> siblings;
    for (std::size_t n = 1 + (chance(30) ? below(4) : 0); n > 0; --n)
        siblings.push_back("t" + std::to_string(chance(5) && last_task_ > 0 ? last_task_ : ++last_task_));
    for (const auto& id : siblings)
        command.tasks.push_back(random_task(id, siblings));
    const auto result = call(command);
    if (result && chance(20)) {
        const auto again = call(command);
        const bool repeated = again && std::ranges::all_of(again->tasks, &Outcome::Named::duplicate);
        if (!repeated || again->revision != 0)
            throw Violation("the same submission again was not a repeat");
    }
}

NewTask Simulation::random_task(std::string id, const std::vector<std::string>& siblings)
{
    NewTask task{.id = TaskId(id), .data = {}};
    for (const auto letter : letters)
        if (chance(25))
            task.data.capabilities.emplace_back(letter);
    if (chance(50))
        task.data.payload = Text(R"("repo":")" + std::to_string(below(3)) + "\"");
    task.data.priority = static_cast<Priority>(below(priority_count));
    if (chance(60))
        task.policy = random_policy(siblings);
    task.body = (random_() >> 1U) | 1U;
    return task;
}

Shared<TaskPolicy> Simulation::random_policy(const std::vector<std::string>& siblings)
{
    std::string members = R"("crashLimit":)" + std::to_string(1 + below(4));
    const auto add = [&](std::string_view name, std::size_t value) {
        members.append(",\"").append(name).append("\":").append(std::to_string(value));
    };
    if (chance(20))
        add("delayMs", below(2000));
    if (chance(15))
        add("expiresAt", static_cast<std::size_t>(to_millis(now_)) + below(5000));
    if (chance(20))
        add("timeoutMs", 1 + below(1500));
    if (chance(40))
        members += R"(,"retry":{"maxFailures":)" + std::to_string(1 + below(3)) +
                   R"(,"backoff":{"type":"exponential","baseMs":)" + std::to_string(below(300)) +
                   R"(,"maxMs":1000,"jitter":true},"nonRetryable":["FATAL"]})";
    if (chance(10))
        members += R"(,"uniqueKey":"u)" + std::to_string(below(3)) + "\"";
    if (chance(10))
        members += R"(,"idempotencyKey":"i)" + std::to_string(below(20)) + "\"";
    if (chance(30)) {
        members += R"(,"dependsOn":[)";
        for (std::size_t n = 0, end = 1 + below(3); n < end; ++n) {
            const bool near = chance(50);
            members += n > 0 ? "," : "";
            members += '"' +
                       (near ? pick(siblings)
                             : "t" + std::to_string(1 + below(static_cast<std::size_t>(last_task_)))) +
                       '"';
        }
        members += chance(30) ? R"(],"onDependencyFailure":"run")" : "]";
    }
    const auto policy = json::policy_in(members);
    if (!policy)
        throw Violation("a policy was refused: " + policy.error().message);
    return *policy;
}

void Simulation::assign()
{
    auto fresh = random_task("t" + std::to_string(++last_task_), {"t1"});
    AssignTask command{.id = fresh.id, .worker = {}, .data = fresh.data, .policy = {}};
    if (chance(30) && last_task_ > 1)
        command.id = TaskId("t" + std::to_string(1 + below(static_cast<std::size_t>(last_task_))));
    if (chance(30) && !actors_.empty())
        command.worker = actors_.begin()->second.id;
    if (chance(30))
        command.policy = fresh.policy;
    call(command);
}

void Simulation::join()
{
    const auto name = "w" + std::to_string(below(6));
    Actor& actor = actors_[name];
    actor.id = WorkerId(name);
    actor.stalled = false;
    actor.session = chance(75) ? ++last_session_ : 0;
    RegisterWorker command{
        .id = actor.id, .capabilities = {}, .capabilities_json = {}, .metadata = {}, .subscription = {}};
    for (const auto letter : letters)
        if (chance(60))
            command.capabilities.emplace_back(letter);
    call(command, {actor.session, {}});
}

void Simulation::leave(Actor& actor)
{
    const auto dice = below(6);
    if (dice == 0) {
        call(UnregisterWorker{actor.id});
    } else if (dice == 1) {
        call(Goodbye{actor.id}, caller_of(actor));
    } else if (dice == 2) {
        actor.stalled = true; // and nobody is told
    } else if (dice == 3) {
        const bool drain = chance(60);
        const auto deadline =
            chance(50) ? std::optional(std::chrono::milliseconds(below(800))) : std::nullopt;
        call(DrainWorker{actor.id, drain, deadline});
    } else if (actor.session != 0) {
        call(CloseSession{actor.id, std::exchange(actor.session, 0)});
    }
}

/// A worker says something of a task that it holds, or has held, or believes to hold.
void Simulation::report(Actor& actor)
{
    actor.stalled = actor.stalled && chance(60); // one that comes back speaks first of all
    if (actor.stalled)
        return;
    if (chance(40)) {
        call(Heartbeat{actor.id}, caller_of(actor));
        return;
    }
    if (actor.leases.empty())
        return;
    const auto lease = chance(60) ? actor.leases.back() : pick(actor.leases);
    LeaseClaim claim;
    if (chance(70))
        claim.fence = lease.fence;
    if (chance(30))
        claim.attempt = lease.attempt;
    const auto caller = chance(80) ? caller_of(actor) : Caller{};
    if (chance(25)) {
        call(UpdateTask{.id = lease.task, .claim = claim, .progress = Text("50")}, caller);
        return;
    }
    FinishTask command{.id = lease.task, .claim = claim, .completed = chance(50), .outcome = {}};
    if (!command.completed) {
        command.confirms_cancel = chance(20);
        command.outcome = Text(chance(20) ? R"({"code":"FATAL"})" : R"({"message":"no"})");
    }
    for (int times = chance(25) ? 2 : 1; times > 0; --times) {
        const Task* row = engine_->store().tasks().find(lease.task.view());
        if (!row)
            return;
        const Task before = *row;
        check_report(command, caller, before, call(command, caller));
        if (chance(50))
            settle();
    }
}

void Simulation::claim(Actor& actor)
{
    if (actor.session != 0 || actor.stalled)
        return;
    const auto result = call(ClaimTasks{actor.id, 1 + below(3), chance(20)});
    if (!result)
        return;
    for (const auto& named : result->tasks) {
        const Task& task = *engine_->store().tasks().find(named.task.view());
        if (task.assigned_to != actor.id || task.status != TaskStatus::in_progress)
            throw Violation("a claim was answered with a task that is another's");
        actor.leases.push_back({task.id, task.attempt, task.fence});
    }
}

void Simulation::steer()
{
    if (last_task_ == 0)
        return;
    const TaskId id("t" + std::to_string(1 + below(static_cast<std::size_t>(last_task_))));
    const auto dice = below(10);
    if (dice < 4) {
        CancelTask command{.id = id, .grace = {}, .reason = {}};
        if (chance(50))
            command.grace = std::chrono::milliseconds(below(400));
        call(command);
    } else if (dice < 6) {
        call(RetryTask{id});
    } else if (dice < 7) {
        Redrive command;
        command.filter.limit = 1 + below(5);
        if (chance(30))
            command.filter.status = TaskStatus::cancelled;
        command.dry_run = chance(30);
        const auto result = call(command);
        if (result && command.dry_run && result->revision != 0)
            throw Violation("a dry run changed something");
    } else if (dice < 9) {
        call(DeleteTask{id});
    } else {
        PurgeTasks command;
        command.filter.limit = 1 + below(5);
        command.filter.ended_before = now_ - std::chrono::milliseconds(below(2000));
        call(command);
    }
}

void Simulation::pass(std::chrono::milliseconds time)
{
    const auto end = now_ + time;
    for (auto due = engine_->next_deadline(); due && *due <= end; due = engine_->next_deadline()) {
        now_ = std::max(now_, *due);
        effects_.undo = undo_;
        may_reopen_ = false;
        engine_->expire(now_, effects_);
        take_in();
        settle();
    }
    now_ = std::max(now_, end);
}

/// The rows survive, as files hold them; connections do not; revisions jump.
void Simulation::restart()
{
    auto next = std::make_unique<Engine>(limits_);
    const auto& old = engine_->store();
    RowReader reader(next->store().capabilities());
    const auto through_text = [](const auto& row, auto&& read) {
        std::string text;
        append_row(text, row);
        auto again = read(text);
        if (!again)
            throw Violation("a row cannot be read back: " + again.error() + ": " + text);
        std::string same;
        append_row(same, *again);
        if (same != text && std::is_same_v<std::decay_t<decltype(row)>, Task>)
            throw Violation("a row changes by being written and read:\n" + text + "\n" + same);
        return std::move(*again);
    };
    for (const auto& [ordinal, row] : old.workers().rows())
        next->store().restore(through_text(row, [&](std::string_view text) { return reader.worker(text); }));
    for (const auto& [ordinal, row] : old.tasks().rows())
        next->store().restore(through_text(row, [&](std::string_view text) { return reader.task(text); }));
    for (const auto& [ordinal, row] : old.assignments().rows())
        next->store().restore(row);
    next->resume(old.revision() + 1000, now_);
    engine_ = std::move(next);
    for (auto& [name, actor] : actors_)
        actor.session = 0;
}

/// The journal fails: what happened meanwhile did not.
void Simulation::lose_writes()
{
    const auto seen = seen_;
    const auto created = created_;
    const auto erased = erased_;
    const auto fence = last_fence_;
    UndoLog log;
    undo_ = &log;
    for (std::size_t n = 1 + below(4); n > 0; --n) {
        chance(50) ? submit() : assign();
        if (!actors_.empty())
            report(actors_.begin()->second);
        settle();
    }
    undo_ = nullptr;
    effects_.undo = nullptr;
    engine_->revert(std::move(log));
    seen_ = seen;
    created_ = created;
    erased_ = erased;
    last_fence_ = fence;
    for (auto& [name, actor] : actors_)
        std::erase_if(actor.leases, [&](const Lease& lease) { return lease.fence > fence; });
}

} // namespace coordination::sim
