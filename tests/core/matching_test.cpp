#include "core/refusal.hpp"

using namespace coordination;
using namespace coordination::testing;

SCENARIO("a task goes only to a worker that has every capability it asks for", "[promise5]")
{
    Fleet fleet;
    fleet.join("w1", {"a"});
    fleet.join("w2", {"a", "b"});
    fleet.join("w3", {"c"});

    REQUIRE(fleet.assign("t1", {"b", "a"}));
    CHECK(fleet.holder("t1") == "w2");
    check_refused(fleet, ErrorCode::no_available_workers, [&] { return fleet.assign("t2", {"a", "c"}); });
    check_refused(fleet, ErrorCode::capability_mismatch, [&] { return fleet.assign_to("w1", "t2", {"b"}); });
    CHECK_FALSE(fleet.engine.store().tasks().find("t2"));
}

SCENARIO("among capable workers the least loaded gets the task, ties to the longest idle", "[promise5]")
{
    Fleet fleet(limits_of(2));
    fleet.join("w1");
    fleet.join("w2");
    fleet.join("w3");
    for (const auto* task : {"t1", "t2", "t3", "t4"})
        REQUIRE(fleet.assign(task));
    CHECK(fleet.holder("t1") == "w1");
    CHECK(fleet.holder("t2") == "w2");
    CHECK(fleet.holder("t3") == "w3");
    CHECK(fleet.holder("t4") == "w1");

    // w3 and w2 are idle again, w3 for longer.
    REQUIRE(fleet.complete("t3"));
    REQUIRE(fleet.complete("t2"));
    REQUIRE(fleet.assign("t5"));
    CHECK(fleet.holder("t5") == "w3");
    REQUIRE(fleet.assign("t6"));
    CHECK(fleet.holder("t6") == "w2");
}

SCENARIO("a worker at capacity, offline or unknown is not given a task", "[promise5]")
{
    Fleet fleet(limits_of(1));
    const auto worker = fleet.join("w1");
    REQUIRE(fleet.assign("t1"));
    check_refused(fleet, ErrorCode::worker_at_capacity, [&] { return fleet.assign_to("w1", "t2"); });
    check_refused(fleet, ErrorCode::no_available_workers, [&] { return fleet.assign("t2"); });
    check_refused(fleet, ErrorCode::worker_not_found, [&] { return fleet.assign_to("nobody", "t2"); });
    REQUIRE(fleet.complete("t1", worker));
    fleet.leave(worker);
    check_refused(fleet, ErrorCode::worker_offline, [&] { return fleet.assign_to("w1", "t2"); });
    check_refused(fleet, ErrorCode::no_available_workers, [&] { return fleet.assign("t2"); });
}
