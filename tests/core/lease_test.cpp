#include "core/refusal.hpp"

using namespace coordination;
using namespace coordination::testing;

namespace {

LeaseClaim attempt(std::uint64_t number)
{
    return {.attempt = number};
}

} // namespace

SCENARIO("one holder: what speaks of another lease than the live one is refused and changes nothing",
         "[promise2]")
{
    Fleet fleet;
    const auto first = fleet.join("w1");
    const auto second = fleet.join("w2");
    REQUIRE(fleet.assign_to("w1", "t1"));

    GIVEN("a task in the hands of its first worker")
    {
        const auto fence = fleet.task("t1").fence;
        CHECK(fleet.task("t1").attempt == 1);
        CHECK(fence == fleet.engine.store().assignments().find("t1")->ordinal);

        THEN("another worker can neither update nor end it")
        {
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.update("t1", second); });
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.complete("t1", second); });
        }
        THEN("an attempt or a fence that is not the live one is refused, from the holder too")
        {
            check_refused(fleet, ErrorCode::stale_attempt,
                          [&] { return fleet.update("t1", first, attempt(2)); });
            check_refused(fleet, ErrorCode::stale_attempt,
                          [&] { return fleet.complete("t1", first, {.fence = fence + 1}); });
            CHECK(fleet.complete("t1", first, {.attempt = 1, .fence = fence}));
        }
        THEN("nobody else gets it")
        {
            check_refused(fleet, ErrorCode::task_conflict, [&] { return fleet.assign_to("w2", "t1"); });
            check_refused(fleet, ErrorCode::task_conflict, [&] { return fleet.assign("t1"); });
        }
        THEN("a call from no worker that names nothing counts")
        {
            CHECK(fleet.complete("t1"));
        }
        THEN("a call that names a worker counts if that one holds it")
        {
            check_refused(fleet, ErrorCode::stale_attempt, [&] {
                return fleet.complete("t1", {}, {.worker = WorkerId(std::string_view("w2"))});
            });
            CHECK(fleet.complete("t1", {}, {.worker = WorkerId(std::string_view("w1"))}));
        }
        THEN("the holder's old connection no longer speaks for it once it has a new one")
        {
            const auto again = fleet.join("w1");
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.update("t1", first); });
            CHECK(fleet.update("t1", again));
        }
    }
    GIVEN("a task that was taken back and given to the next worker")
    {
        const auto old_fence = fleet.task("t1").fence;
        REQUIRE(fleet.call(UnregisterWorker{first.worker}));
        REQUIRE(fleet.holder("t1") == "w2");
        CHECK(fleet.task("t1").attempt == 2);
        CHECK(fleet.task("t1").fence > old_fence);
        CHECK(fleet.task("t1").reassigned_from.view() == "w1");

        THEN("the first worker's report is refused")
        {
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.complete("t1", first); });
            check_refused(fleet, ErrorCode::stale_attempt,
                          [&] { return fleet.complete("t1", {}, attempt(1)); });
        }
        THEN("a call that names nothing is refused: it may mean the first attempt")
        {
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.complete("t1"); });
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.update("t1", {}); });
            CHECK(fleet.complete("t1", {}, attempt(2)));
        }
    }
}

SCENARIO("a task ends once", "[promise3]")
{
    Fleet fleet;
    const auto worker = fleet.join("w1");
    REQUIRE(fleet.assign("t1"));
    const bool completes = GENERATE(true, false);
    const auto end = [&](bool completed, const Caller& caller = {}, const LeaseClaim& claim = {}) {
        return completed ? fleet.complete("t1", caller, claim) : fleet.fail("t1", caller, claim);
    };
    const auto ended = end(completes, worker);
    REQUIRE(ended);
    CHECK_FALSE(ended->duplicate);
    CHECK(fleet.task("t1").status == (completes ? TaskStatus::completed : TaskStatus::failed));
    CHECK(fleet.holder("t1").empty());
    CHECK(fleet.worker("w1").active_tasks == 0);
    CHECK(fleet.worker("w1").completed_tasks == (completes ? 1 : 0));
    CHECK(fleet.worker("w1").failed_tasks == (completes ? 0 : 1));
    CHECK(fleet.engine.store().totals().processed == (completes ? 1 : 0));
    CHECK(fleet.engine.store().totals().failed == (completes ? 0 : 1));

    WHEN("the call that ended it is repeated, by the worker or by nobody in particular")
    {
        const auto before = dump(fleet.engine.store());
        for (const auto& caller : {worker, Caller{}}) {
            const auto again = end(completes, caller);
            REQUIRE(again);
            CHECK(again->duplicate);
            CHECK(again->revision == 0);
        }
        CHECK(end(completes, {}, attempt(1))->duplicate);
        THEN("nothing changes")
        {
            CHECK(dump(fleet.engine.store()) == before);
        }
    }
    WHEN("a call contradicts it")
    {
        THEN("that is a conflict")
        {
            check_refused(fleet, ErrorCode::task_conflict, [&] { return end(!completes, worker); });
            check_refused(fleet, ErrorCode::task_conflict, [&] { return end(!completes); });
        }
    }
    WHEN("a call names another attempt")
    {
        THEN("it is stale")
        {
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return end(completes, {}, attempt(2)); });
        }
    }
    WHEN("it is assigned or updated again")
    {
        THEN("that is a conflict, and a worker no longer holds it")
        {
            check_refused(fleet, ErrorCode::task_conflict, [&] { return fleet.assign("t1"); });
            check_refused(fleet, ErrorCode::task_conflict, [&] { return fleet.update("t1", {}); });
            check_refused(fleet, ErrorCode::stale_attempt, [&] { return fleet.update("t1", worker); });
        }
    }
}
