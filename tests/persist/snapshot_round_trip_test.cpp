#include "core/json/slice.hpp"
#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/saved.hpp"
#include "persist/snapshot/snapshot_writer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace coordination;
using namespace coordination::testing;

namespace {

/// Loads what is on the disk and compares it with what dump() told at the time.
void check_loads(Disk& disk, const std::string& expected, const Limits& limits)
{
    StateStore store(limits);
    const auto loaded = load_snapshot(disk, snapshot_path, limits, store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    REQUIRE(*loaded);
    REQUIRE(dump(store) == expected);
    REQUIRE(recount(store, limits) == "");
    CHECK((*loaded)->header.revision == store.revision());
    CHECK((*loaded)->header.saved_at == saved_at);
    CHECK((*loaded)->workers == store.workers().size());
    CHECK((*loaded)->tasks == store.tasks().size());
    CHECK((*loaded)->notes.empty());
    CHECK(store.online_workers() == 0);
    for (const auto& [ordinal, worker] : store.workers().rows())
        CHECK(worker.session == 0);
}

std::vector<std::string> ids_of(std::span<const TaskId> tasks)
{
    std::vector<std::string> ids;
    for (const auto& id : tasks)
        ids.emplace_back(id.view());
    return ids;
}

} // namespace

TEST_CASE("a state that is saved and loaded is the same, but for who is connected", "[snapshot][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    RandomCalls calls(seed);
    const auto& limits = calls.fleet.engine.limits();
    for (int round = 0; round < 40; ++round) {
        INFO("round " << round);
        calls.steps(25);
        FaultyDisk disk;
        REQUIRE(save(disk, calls.store()));
        REQUIRE(json::validate(*disk.content(snapshot_path), 16));
        check_loads(disk, dump(calls.store()), limits);
    }
}

TEST_CASE("a loaded worker holds what it held, in the order in which it got it, and was heard when it was",
          "[snapshot][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    RandomCalls calls(seed);
    calls.steps(400);
    StateStore store(calls.fleet.engine.limits());
    REQUIRE(load_text(snapshot_of(calls.store()), store));
    for (const auto& [ordinal, worker] : calls.store().workers().rows()) {
        const Worker* loaded = store.workers().find(worker.id.view());
        REQUIRE(loaded);
        CHECK(loaded->last_seen == worker.last_seen);
        CHECK(loaded->last_heartbeat == worker.last_heartbeat);
        auto held = ids_of(calls.store().tasks_of(worker.id.view()));
        std::ranges::sort(held, {}, [&](const auto& id) { return calls.store().tasks().find(id)->fence; });
        CHECK(ids_of(store.tasks_of(worker.id.view())) == held);
    }
}

TEST_CASE("a snapshot written one row at a time between writes is the state at its revision",
          "[snapshot][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    RandomCalls calls(seed);
    const auto& limits = calls.fleet.engine.limits();
    for (int round = 0; round < 25; ++round) {
        INFO("round " << round);
        calls.steps(20);
        const auto expected = dump(calls.store());
        FaultyDisk disk;
        FrozenView view(calls.store());
        REQUIRE(save(disk, view, 1, [&] { calls.steps(static_cast<int>(calls.below(3))); }));
        check_loads(disk, expected, limits);
    }
}

TEST_CASE("an empty state is saved and loaded too", "[snapshot]")
{
    StateStore empty{Limits{}};
    const auto text = snapshot_of(empty);
    CHECK(json::validate(text, 8));
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    REQUIRE(loaded);
    REQUIRE(*loaded);
    CHECK((*loaded)->workers == 0);
    CHECK(dump(store) == dump(empty));
}

TEST_CASE("a snapshot has the original's shape: each collection keyed by id, a row a line", "[snapshot]")
{
    Fleet fleet;
    fleet.join("w1", {"b", "a"});
    REQUIRE(fleet.assign("t1", {"a"}, Priority::high));
    REQUIRE(fleet.assign("t2"));
    REQUIRE(fleet.complete("t2"));
    auto text = snapshot_of(fleet.engine.store());
    text.resize(text.rfind("xxh3:"));
    CHECK(
        text ==
        R"({"format":"coordination-snapshot","version":2,"revision":10,"savedAt":1234,
"workers":{
"w1":{"id":"w1","capabilities":[],"metadata":{},"status":"busy","activeTasks":1,"completedTasks":1,"failedTasks":0,)"
        R"("registeredAt":1764000000000,"lastHeartbeat":1764000000000,"lastSeen":1764000000000,"subscriptions":[],)"
        R"("_":{"ordinal":1,"idleSince":10,"capabilities":["a","b"]}}
},
"tasks":{
"t1":{"id":"t1","status":"assigned","assignedTo":"w1","assignedAt":1764000000000,"lastUpdate":1764000000000,"attempt":1,)"
        R"("fence":2,"createdAt":1764000000000,"_":{"ordinal":3,"priority":"high","capabilities":["a"],"crashLimit":3}},
"t2":{"id":"t2","status":"completed","assignedTo":"w1","assignedAt":1764000000000,"lastUpdate":1764000000000,)"
        R"("completedAt":1764000000000,"attempt":1,"fence":5,"createdAt":1764000000000,)"
        R"("_":{"ordinal":6,"priority":"normal","capabilities":[],"crashLimit":3,"ended":9}}
},
"messages":{
},
"assignments":{
"t1":"w1"
},
"workerTasks":{
"w1":["t1"]
},
"metadata":{"totalTasksProcessed":1,"totalTasksFailed":0},
"timestamps":{},
"checksum":")");
}

TEST_CASE("a snapshot of version 1, which knew no messages, is loaded", "[snapshot]")
{
    Fleet fleet;
    fleet.join("w1");
    REQUIRE(fleet.assign("t1"));
    const auto text = snapshot_of(fleet.engine.store());
    const auto older =
        sealed(replaced(replaced(text, R"("version":2)", R"("version":1)"), "\"messages\":{\n},\n", ""));
    StateStore store{Limits{}};
    const auto loaded = load_text(older, store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    CHECK(dump(store) == dump(fleet.engine.store()));
}

TEST_CASE("a payload that an embedder wrote over several lines stays on the line of its row", "[snapshot]")
{
    Fleet fleet;
    fleet.join("w1");
    REQUIRE(fleet.call(
        AssignTask{.id = TaskId(std::string_view("t1")), .data = TaskData{text("\"a\":[\n1,\r\n2]")}}));
    StateStore store{Limits{}};
    REQUIRE(load_text(snapshot_of(fleet.engine.store()), store));
    CHECK(store.tasks().find("t1")->payload.view() == "\"a\":[ 1,\r 2]");
}

TEST_CASE("what follows from the rows is written in slices of the size asked for", "[snapshot]")
{
    Limits limits;
    limits.tasks_per_worker_max = 50;
    Fleet fleet(limits);
    fleet.join("w1");
    fleet.join("w2");
    for (int i = 0; i < 60; ++i)
        REQUIRE(fleet.assign("t" + std::to_string(i)));
    SnapshotWriter writer({});
    for (const auto& [ordinal, worker] : fleet.engine.store().workers().rows())
        writer.add(worker);
    for (const auto& [ordinal, task] : fleet.engine.store().tasks().rows())
        writer.add(task);
    int slices = 0;
    std::string text = writer.take();
    for (bool more = true; more; ++slices) {
        more = writer.finish(7);
        CHECK(writer.waiting() < 700);
        text += writer.take();
    }
    CHECK(slices >= 60 / 7);
    CHECK_FALSE(writer.finish(7));
    CHECK(writer.take().empty());
    StateStore store(limits);
    const auto complete = sealed(text + "\"checksum\":");
    CHECK(json::validate(complete, 8));
    CHECK(complete.find(R"("w2":["t1",)") != std::string::npos);
}

TEST_CASE("a file larger than a block is read line by line", "[snapshot]")
{
    Fleet fleet;
    fleet.join("w1");
    const std::string large = R"("x":")" + std::string(400'000, 'x') + '"';
    for (int i = 0; i < 8; ++i) // lines that cross the ends of blocks, and one that is longer than a block
        REQUIRE(fleet.call(AssignTask{.id = TaskId(std::string_view("t" + std::to_string(i))),
                                      .data = TaskData{text(large)}}));
    const std::string huge = R"("x":")" + std::string(3'000'000, 'y') + '"';
    REQUIRE(fleet.call(AssignTask{.id = TaskId(std::string_view("huge")), .data = TaskData{text(huge)}}));
    StateStore store{Limits{}};
    const auto loaded = load_text(snapshot_of(fleet.engine.store()), store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    CHECK(dump(store) == dump(fleet.engine.store()));
}
