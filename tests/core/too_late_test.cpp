#include "core/fleet.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;

namespace {

NewTask new_task(std::string_view id, const TaskPolicy& policy, std::vector<std::string> capabilities = {})
{
    return {.id = TaskId(id),
            .data = {.capabilities = std::move(capabilities)},
            .policy = Shared<TaskPolicy>(policy),
            .body = 1};
}

TaskPolicy after(std::string_view dependency, bool run_despite_failure = false)
{
    TaskPolicy policy;
    policy.depends_on.emplace_back(dependency);
    policy.run_despite_failure = run_despite_failure;
    return policy;
}

/// A task, and more that are to be cancelled with it than are resolved in one go.
void with_dependants(Fleet& fleet, int count)
{
    SubmitTasks submission;
    submission.tasks.push_back(new_task("first", {}, {"nobody has it"}));
    for (int n = 0; n < count; ++n)
        submission.tasks.push_back(new_task("t" + std::to_string(n), after("first"), {"nobody has it"}));
    REQUIRE(fleet.call(submission));
}

std::size_t count_of(const Fleet& fleet, TaskStatus status)
{
    std::size_t count = 0;
    for (const auto& [ordinal, task] : fleet.engine.store().tasks().rows())
        count += task.status == status ? 1 : 0;
    return count;
}

} // namespace

SCENARIO("a task is not begun after its expiresAt, however late its timer is", "[life]")
{
    Fleet fleet;
    TaskPolicy policy;
    policy.expires_at = fleet.now + 10s;
    const SubmitTasks submission{{new_task("t1", policy)}};

    GIVEN("a worker with room, and a task that comes too late")
    {
        fleet.join("w1");
        fleet.now += 10s;
        REQUIRE(fleet.call(submission));
        THEN("it has failed")
        {
            CHECK(fleet.task("t1").status == TaskStatus::failed);
            CHECK(fleet.task("t1").attempt == 0);
        }
    }
    GIVEN("one that waits when its time is over")
    {
        const WorkerId sh(std::string_view("sh"));
        REQUIRE(fleet.call(RegisterWorker{.id = sh}));
        REQUIRE(fleet.call(ClaimTasks{.worker = sh})); // from here on it fetches its work
        REQUIRE(fleet.call(submission));
        REQUIRE(fleet.task("t1").status == TaskStatus::pending);
        fleet.now += 10s; // nobody has called expire() yet
        WHEN("a worker joins")
        {
            fleet.join("w1");
            CHECK(fleet.task("t1").status == TaskStatus::failed);
        }
        WHEN("a worker claims")
        {
            const auto claimed = fleet.call(ClaimTasks{.worker = sh});
            REQUIRE(claimed);
            CHECK(claimed->tasks.empty());
            CHECK(fleet.task("t1").status == TaskStatus::failed);
        }
        WHEN("it is assigned by hand")
        {
            const auto refused = fleet.call(AssignTask{.id = TaskId(std::string_view("t1"))});
            REQUIRE_FALSE(refused);
            CHECK(refused.error().code == ErrorCode::task_conflict);
        }
    }
}

SCENARIO("a task that runs despite a failure still waits for the end of what it depends on", "[life]")
{
    Fleet fleet;
    fleet.join("w1");
    REQUIRE(fleet.call(SubmitTasks{{new_task("first", {}, {"nobody has it"})}}));
    const AssignTask assignment{.id = TaskId(std::string_view("t1")),
                                .policy = Shared<TaskPolicy>(after("first", true))};
    const auto early = fleet.call(assignment);
    REQUIRE_FALSE(early);
    CHECK(early.error().code == ErrorCode::task_conflict);
    REQUIRE(fleet.call(CancelTask{TaskId(std::string_view("first")), {}, {}}));
    CHECK(fleet.call(assignment));
}

SCENARIO("a holder that took too long hears that it must stop before it is given the next attempt", "[life]")
{
    Fleet fleet;
    fleet.join("w1");
    TaskPolicy policy;
    policy.timeout = 5s;
    policy.max_failures = 2;
    REQUIRE(fleet.call(SubmitTasks{{new_task("t1", policy)}}));
    fleet.deliveries();
    fleet.advance(5s);
    REQUIRE(fleet.task("t1").attempt == 2);
    const auto& told = fleet.effects.deliveries;
    REQUIRE(told.size() == 2);
    CHECK(told[0].cancelled);
    CHECK(told[0].task.attempt == 1);
    CHECK_FALSE(told[1].cancelled);
    CHECK(told[1].task.attempt == 2);
}

SCENARIO("a task is not forgotten while tasks that fail with it have yet to hear of it", "[life]")
{
    constexpr int dependants = 3000;
    const TaskId first(std::string_view("first"));

    GIVEN("one that is deleted and purged right after it was cancelled")
    {
        Fleet fleet;
        with_dependants(fleet, dependants);
        REQUIRE(fleet.call(CancelTask{first, {}, {}}));
        REQUIRE(count_of(fleet, TaskStatus::pending) > 0);
        const auto deleted = fleet.engine.execute(DeleteTask{first}, {}, fleet.now, fleet.effects);
        REQUIRE_FALSE(deleted);
        CHECK(deleted.error().code == ErrorCode::task_conflict);
        PurgeTasks purge;
        purge.filter.status = TaskStatus::cancelled;
        purge.filter.limit = 1;
        const auto purged = fleet.engine.execute(purge, {}, fleet.now, fleet.effects);
        REQUIRE(purged);
        CHECK(purged->tasks.empty());
        fleet.advance(1ms);
        CHECK(count_of(fleet, TaskStatus::cancelled) == dependants + 1);
        CHECK(fleet.call(DeleteTask{first}));
    }
    GIVEN("a daemon that keeps one ended task")
    {
        Limits limits;
        limits.keep_ended_count = 1;
        Fleet fleet(limits);
        with_dependants(fleet, dependants);
        REQUIRE(fleet.call(CancelTask{first, {}, {}}));
        for (int n = 0; n < dependants; ++n)
            fleet.engine.settle(fleet.now, fleet.effects);
        fleet.advance(1ms);
        CHECK(count_of(fleet, TaskStatus::pending) == 0);
    }
}

SCENARIO("who says goodbye has drained: the next worker of that name is given work", "[life]")
{
    Fleet fleet;
    const auto first = fleet.join("w1");
    const WorkerId id(std::string_view("w1"));
    REQUIRE(fleet.call(DrainWorker{.id = id, .deadline = {}}));
    WHEN("it says so while it is there")
    {
        REQUIRE(fleet.call(Goodbye{id}, first));
    }
    WHEN("its connection has ended before")
    {
        fleet.leave(first);
        REQUIRE(fleet.call(Goodbye{id}));
    }
    fleet.join("w1");
    CHECK(fleet.worker("w1").status() == WorkerStatus::idle);
}
