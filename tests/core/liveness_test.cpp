#include "core/refusal.hpp"

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;

} // namespace

SCENARIO("no task is stranded: a silent worker loses its tasks at the timeout, not before", "[promise4]")
{
    Fleet fleet; // a timeout of 15 s
    const auto worker = fleet.join("w1", {"a"});
    REQUIRE(fleet.assign("t1", {"a"}));

    WHEN("it has been silent for 1 ms less")
    {
        fleet.advance(15s - 1ms);
        THEN("it is online and holds the task")
        {
            CHECK(fleet.holder("t1") == "w1");
            CHECK(fleet.worker("w1").online);
        }
    }
    WHEN("it has been silent for exactly that long")
    {
        fleet.advance(15s);
        THEN("it is offline and the task waits")
        {
            CHECK_FALSE(fleet.worker("w1").online);
            CHECK(fleet.task("t1").status == TaskStatus::pending);
            CHECK(fleet.task("t1").reassigned_from.view() == "w1");
            CHECK(fleet.task("t1").leases_lost == 1);
            CHECK(fleet.holder("t1").empty());
        }
        THEN("the next capable worker gets it, by itself")
        {
            fleet.join("w2", {"b"});
            CHECK(fleet.holder("t1").empty());
            fleet.join("w3", {"a", "b"});
            CHECK(fleet.holder("t1") == "w3");
        }
    }
    WHEN("it says anything in between")
    {
        fleet.advance(14s);
        const bool by_heartbeat = GENERATE(true, false);
        REQUIRE((by_heartbeat ? fleet.heartbeat(worker) : fleet.update("t1", worker)));
        fleet.advance(14s);
        THEN("it keeps the task")
        {
            CHECK(fleet.holder("t1") == "w1");
        }
        fleet.advance(1s);
        THEN("until it has been silent for the timeout since")
        {
            CHECK(fleet.holder("t1").empty());
        }
    }
    WHEN("its connection closes")
    {
        fleet.advance(5s);
        fleet.leave(worker);
        THEN("it is offline at once, gets nothing new, and keeps the task for the time it has left")
        {
            CHECK_FALSE(fleet.worker("w1").online);
            CHECK(fleet.holder("t1") == "w1");
            check_refused(fleet, ErrorCode::no_available_workers, [&] { return fleet.assign("t2"); });
            fleet.advance(10s - 1ms);
            CHECK(fleet.holder("t1") == "w1");
            fleet.advance(1ms);
            CHECK(fleet.holder("t1").empty());
        }
        THEN("back in time over a new connection, it keeps the task, is sent it again, and may end it")
        {
            fleet.deliveries();
            fleet.advance(9s);
            const auto back = fleet.join("w1", {"a"});
            CHECK(fleet.deliveries() == Names{"t1>2"});
            CHECK(fleet.task("t1").attempt == 1);
            fleet.advance(10s);
            CHECK(fleet.holder("t1") == "w1");
            CHECK(fleet.complete("t1", back));
        }
    }
    WHEN("it reported progress before it came back")
    {
        REQUIRE(fleet.update("t1", worker));
        fleet.leave(worker);
        fleet.deliveries();
        fleet.join("w1", {"a"});
        THEN("it has the task, so it is not sent again")
        {
            CHECK(fleet.deliveries().empty());
        }
    }
}

SCENARIO("what waits goes out by itself, most urgent and then oldest first", "[promise4]")
{
    Fleet fleet(limits_of(1));
    GIVEN("tasks whose workers have left, and one worker with room for one")
    {
        const std::vector<std::pair<const char*, Priority>> tasks{{"low", Priority::low},
                                                                  {"normal-old", Priority::normal},
                                                                  {"normal-new", Priority::normal},
                                                                  {"high", Priority::high},
                                                                  {"critical", Priority::critical}};
        for (const auto& [id, priority] : tasks) {
            const auto worker = fleet.join(id);
            REQUIRE(fleet.assign(id, {}, priority));
            fleet.advance(1ms);
        }
        for (const auto& [id, priority] : tasks)
            REQUIRE(fleet.call(UnregisterWorker{WorkerId(std::string_view(id))}));
        CHECK(fleet.engine.store().schedule().waiting() == 5);

        THEN("each task it ends brings it the next")
        {
            const auto worker = fleet.join("w");
            for (const auto* expected : {"critical", "high", "normal-old", "normal-new", "low"}) {
                INFO(expected);
                REQUIRE(fleet.holder(expected) == "w");
                REQUIRE(fleet.complete(expected, worker));
            }
            CHECK(fleet.engine.store().schedule().waiting() == 0);
        }
        THEN("what has waited for long enough goes before what is more urgent by itself")
        {
            fleet.advance(3 * fleet.engine.limits().aging);
            const auto worker = fleet.join("w"); // all of them are critical by now: the oldest goes first
            CHECK(fleet.holder("low") == "w");
        }
    }
    GIVEN("two workers whose tasks come free together, and one with room for one of them")
    {
        const auto first = fleet.join("w1");
        REQUIRE(fleet.assign("t-low", {}, Priority::low));
        const auto second = fleet.join("w2");
        REQUIRE(fleet.assign("t-high", {}, Priority::high));
        fleet.advance(1s);
        fleet.join("w3");
        fleet.advance(14s);
        THEN("the more urgent one goes to it")
        {
            CHECK(fleet.holder("t-high") == "w3");
            CHECK(fleet.task("t-low").status == TaskStatus::pending);
        }
    }
}

SCENARIO("a task that costs its workers' lives fails at the crash limit", "[promise4]")
{
    Fleet fleet; // three leases may be lost
    for (int life = 1; life <= 3; ++life) {
        fleet.join("w1");
        if (life == 1)
            REQUIRE(fleet.assign("t1"));
        REQUIRE(fleet.holder("t1") == "w1");
        CHECK(fleet.task("t1").attempt == static_cast<std::uint32_t>(life));
        fleet.advance(15s);
    }
    CHECK(fleet.task("t1").status == TaskStatus::failed);
    CHECK(fleet.task("t1").leases_lost == 3);
    CHECK(fleet.task("t1").outcome.view().find("CRASH_LIMIT") != std::string_view::npos);
    CHECK(fleet.worker("w1").failed_tasks == 1);
    CHECK(fleet.worker("w1").active_tasks == 0);
    CHECK(fleet.engine.store().totals().failed == 1);
    fleet.join("w2");
    CHECK(fleet.holder("t1").empty());
}

SCENARIO("unregistering gives tasks back without counting as a lost lease", "[promise4]")
{
    Fleet fleet;
    for (int life = 1; life <= 5; ++life) {
        const auto worker = fleet.join("w1");
        if (life == 1)
            REQUIRE(fleet.assign("t1"));
        REQUIRE(fleet.call(UnregisterWorker{worker.worker}));
        CHECK(fleet.task("t1").status == TaskStatus::pending);
    }
    CHECK(fleet.task("t1").leases_lost == 0);
    CHECK(fleet.task("t1").attempt == 5);
}

SCENARIO("a reported failure ends the task at once", "[promise4]")
{
    Fleet fleet;
    const auto worker = fleet.join("w1");
    fleet.join("w2");
    REQUIRE(fleet.assign_to("w1", "t1"));
    REQUIRE(fleet.fail("t1", worker));
    CHECK(fleet.task("t1").status == TaskStatus::failed);
    CHECK(fleet.holder("t1").empty());
}

SCENARIO("after a restart, holders get the heartbeat timeout from then on to come back", "[promise4]")
{
    Fleet fleet;
    fleet.join("w1");
    REQUIRE(fleet.assign("t1"));
    const auto last = fleet.engine.store().revision();

    Fleet restarted;
    restarted.now = fleet.now + 1h;
    auto& store = restarted.engine.store();
    for (const auto& [ordinal, row] : fleet.engine.store().workers().rows()) {
        Worker worker = row;
        worker.online = false;
        worker.session = 0;
        worker.capabilities = store.capabilities().intern(row.capabilities->names());
        store.restore(worker);
    }
    Task task = fleet.task("t1");
    task.required = store.capabilities().intern(task.required->names());
    store.restore(task);
    store.restore(*fleet.engine.store().assignments().find("t1"));
    restarted.engine.resume(last + 1000, restarted.now);

    CHECK(recount(store, restarted.engine.limits()) == "");
    restarted.advance(15s - 1ms);
    CHECK(restarted.holder("t1") == "w1");
    WHEN("it comes back")
    {
        const auto back = restarted.join("w1");
        THEN("nothing was run twice, and revisions went on")
        {
            CHECK(restarted.task("t1").attempt == 1);
            CHECK(store.revision() == last + 1001);
            CHECK(restarted.complete("t1", back));
        }
    }
    WHEN("it does not")
    {
        restarted.advance(1ms);
        THEN("the task waits again")
        {
            CHECK(restarted.task("t1").status == TaskStatus::pending);
        }
    }
}

SCENARIO("a heartbeat is no change, unless it brings the worker back", "[liveness]")
{
    Fleet fleet;
    const auto worker = fleet.join("w1");
    const auto revision = fleet.engine.store().revision();
    fleet.advance(1s);
    REQUIRE(fleet.heartbeat(worker));
    CHECK(fleet.engine.store().revision() == revision);
    CHECK(fleet.worker("w1").last_heartbeat == fleet.now);
    fleet.advance(15s);
    REQUIRE_FALSE(fleet.worker("w1").online);
    REQUIRE(fleet.heartbeat(worker));
    CHECK(fleet.worker("w1").online);
    CHECK(code_of(fleet.call(Heartbeat{WorkerId(std::string_view("nobody"))})) ==
          ErrorCode::worker_not_found);
    CHECK(code_of(fleet.call(Heartbeat{WorkerId(std::string_view("w2"))}, worker)) ==
          ErrorCode::invalid_field);
}
