#include "core/refusal.hpp"

using namespace coordination;
using namespace coordination::testing;

SCENARIO(
    "a command that was not refused tells the revision of its last change, and what followed comes after",
    "[promise1]")
{
    Fleet fleet(limits_of(1));
    const auto worker = fleet.join("w1");
    const auto assigned = fleet.assign("t1");
    REQUIRE(assigned);
    CHECK(assigned->revision == fleet.engine.store().revision());
    const auto other = fleet.join("w2");
    REQUIRE(fleet.assign("t2"));
    REQUIRE(fleet.call(UnregisterWorker{other.worker})); // t2 waits
    fleet.effects.clear();

    const auto ended = fleet.complete("t1", worker); // and t2 goes to w1
    REQUIRE(ended);
    CHECK(fleet.holder("t2") == "w1");
    CHECK(ended->revision < fleet.engine.store().revision());
    REQUIRE_FALSE(fleet.effects.changes.empty());
    for (std::size_t i = 1; i < fleet.effects.changes.size(); ++i)
        CHECK(fleet.effects.changes[i].revision == fleet.effects.changes[i - 1].revision + 1);
    CHECK(fleet.effects.changes.back().revision == fleet.engine.store().revision());
}

SCENARIO("the same calls at the same times end in the same state", "[random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    RandomCalls one(seed);
    RandomCalls other(seed);
    one.steps(1000);
    other.steps(1000);
    CHECK(dump(one.store()) == dump(other.store()));
}
