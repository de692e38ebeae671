#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace coordination::testing;
using namespace std::chrono_literals;

namespace {

// Long enough for what a test does before the silence, even on a machine that is loaded.
const Arguments quick{"--heartbeat-interval", "50", "--heartbeat-timeout", "400"};
const Arguments patient{"--heartbeat-interval", "10000", "--heartbeat-timeout", "60000"};

} // namespace

SCENARIO("a worker whose socket closes is offline at once, and keeps its tasks until the timeout",
         "[liveness]")
{
    DaemonProcess daemon(patient);
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    Worker worker(daemon, "w1");
    api.assign("t1");
    WHEN("it closes properly")
    {
        worker.close();
    }
    WHEN("it closes in the middle of a frame")
    {
        worker.send_bytes("\x81"), worker.abort();
    }
    WHEN("its machine resets the connection")
    {
        worker.abort();
    }
    watcher.await_worker("w1", "offline");
    CHECK(field(api.task("t1"), "assignedTo") == "w1");
    CHECK(field(api.task("t1"), "status") == "assigned");
    CHECK(field(api.worker("w1"), "activeTasks") == 1);
}

SCENARIO("a worker that comes back in time keeps its tasks and gets again those still assigned", "[liveness]")
{
    DaemonProcess daemon(patient);
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    std::int64_t fence = 0;
    {
        Worker worker(daemon, "w1");
        fence = integer(api.assign("fresh"), "task.fence");
        api.assign("begun");
        CHECK(worker.call(R"({"type":"task_update","taskId":"begun","status":"in_progress"})")["success"] ==
              Json(true));
        api.assign("ended");
        CHECK(worker.call(R"({"type":"task_update","taskId":"ended","status":"completed"})")["success"] ==
              Json(true));
        worker.close();
        watcher.await_worker("w1", "offline");
    }
    Worker again(daemon, "w1");
    auto held = again.registered["tasks"].as_array();
    std::sort(held.begin(), held.end(),
              [](const Json& a, const Json& b) { return a.as_string() < b.as_string(); });
    CHECK(held == boost::json::array{"begun", "fresh"});
    const auto resent = again.expect("task_assigned");
    CHECK(resent["task.id"] == "fresh");
    CHECK(resent["task.attempt"] == 1); // the same assignment, not another
    CHECK(resent["task.fence"] == Json(fence));
    again.send(R"({"type":"heartbeat"})");
    again.expect("heartbeat_ack"); // "begun" was not sent again
    CHECK(field(api.worker("w1"), "status") != "offline");
    CHECK(again.call(R"({"type":"task_update","taskId":"begun","status":"completed"})")["success"] ==
          Json(true));
    CHECK(again.call(R"({"type":"task_update","taskId":"fresh","status":"completed"})")["success"] ==
          Json(true));
}

SCENARIO("a worker whose heartbeats stop is offline after the timeout", "[liveness]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    WHEN("it was registered over HTTP")
    {
        api.register_worker("w1");
        watcher.await_worker("w1", "offline");
        CHECK(field(api.worker("w1"), "status") == "offline");
        AND_WHEN("it is heard again it is back")
        {
            CHECK(api.post("/api/workers/heartbeat", R"({"workerId":"w1"})").status == 200);
            watcher.await_worker("w1", "idle");
        }
    }
    WHEN("its socket stays open")
    {
        Worker worker(daemon, "w1");
        watcher.await_worker("w1", "offline");
        AND_WHEN("it is heard again it is back")
        {
            worker.send(R"({"type":"heartbeat","workerId":"w1"})");
            watcher.await_worker("w1", "idle");
        }
    }
}

SCENARIO("a worker that sends heartbeats stays, while one that does not goes", "[liveness]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    api.register_worker("alive");
    Heartbeats heartbeats(daemon, "alive", 40ms);
    for (const auto* id : {"silent1", "silent2", "silent3"}) {
        api.register_worker(id);
        watcher.await([&](const Json& change) {
            CHECK_FALSE((text(change, "key") == "alive" && has(change, "value.status") &&
                         text(change, "value.status") == "offline"));
            return text(change, "key") == id && text(change, "value.status") == "offline";
        });
        CHECK(field(api.worker("alive"), "status") == "idle");
    }
}

SCENARIO("after the timeout the tasks go by themselves to the next capable worker", "[liveness]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Worker other(daemon, "other", R"(["b"])");
    Heartbeats other_alive(daemon, "other", 40ms);
    std::int64_t fence = 0;
    {
        Worker silent(daemon, "silent", R"(["a"])");
        fence = integer(api.assign("t1", "silent", R"({"capabilities":["a"],"title":"x"})"), "task.fence");
        if (GENERATE(true, false))
            silent.close();
        const auto waiting = watcher.await_task("t1", "pending");
        CHECK((!has(waiting, "assignedTo") || field(waiting, "assignedTo").is_null()));
        CHECK(field(waiting, "title") == "x");
    }
    WHEN("one joins that can")
    {
        Worker next(daemon, "next", R"(["a","b"])");
        const auto assigned = next.expect("task_assigned");
        CHECK(assigned["task.id"] == "t1");
        CHECK(assigned["task.attempt"] == 2);
        CHECK(integer(assigned.json, "task.fence") > fence);
        CHECK(assigned["task.reassignedFrom"] == "silent");
    }
    WHEN("one that is there learns how")
    {
        other.send(R"({"type":"register","workerId":"other","capabilities":["a"]})");
        other.expect("registered");
        CHECK(other.expect("task_assigned")["task.id"] == "t1");
    }
}

SCENARIO("tasks of a silent worker go to one that is there and has room", "[liveness]")
{
    DaemonProcess daemon(
        {"--heartbeat-interval", "50", "--heartbeat-timeout", "400", "--max-tasks-per-worker", "2"});
    Api api(daemon);
    Worker there(daemon, "there");
    Heartbeats alive(daemon, "there", 40ms);
    api.register_worker("silent");
    api.assign("own", "there");
    there.expect("task_assigned");
    api.assign("lost1", "silent", R"({"priority":"low"})");
    api.assign("lost2", "silent", R"({"priority":"high"})");
    CHECK(there.expect("task_assigned")["task.id"] == "lost2"); // the more urgent of the two has the room
    CHECK(field(api.task("lost1"), "status") != "completed");
    there.call(R"({"type":"task_update","taskId":"own","status":"completed"})");
    CHECK(there.expect("task_assigned")["task.id"] == "lost1");
    CHECK(field(api.task("lost1"), "reassignedFrom") == "silent");
}

SCENARIO("what a late holder still sends is STALE_ATTEMPT", "[liveness][once]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Worker late(daemon, "late");
    api.assign("t1");
    late.expect("task_assigned");
    watcher.await_task("t1", "pending");
    const auto* complete = R"({"type":"task_update","taskId":"t1","status":"completed"})";
    Worker next(daemon, "next");
    WHEN("the task has another holder")
    {
        CHECK(next.expect("task_assigned")["task.id"] == "t1");
        CHECK(late.call(complete)["code"] == "STALE_ATTEMPT");
        CHECK(field(api.task("t1"), "status") != "completed");
    }
    WHEN("the other holder has ended it")
    {
        next.expect("task_assigned");
        CHECK(next.call(complete)["success"] == Json(true));
        CHECK(late.call(R"({"type":"task_update","taskId":"t1","status":"completed","attempt":1})")["code"] ==
              "STALE_ATTEMPT");
    }
}

SCENARIO("a worker that comes back too late holds nothing and may be given the task anew", "[liveness]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    {
        Worker worker(daemon, "w1");
        api.assign("t1");
    }
    watcher.await_task("t1", "pending");
    Worker again(daemon, "w1");
    const auto assigned = again.expect("task_assigned");
    CHECK(assigned["task.id"] == "t1");
    CHECK(assigned["task.attempt"] == 2);
}

SCENARIO("a task that costs three workers their life is failed", "[liveness]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    api.register_worker("w0");
    api.assign("t1", "w0");
    for (int life = 1; life < 3; ++life) {
        watcher.await_task("t1", "pending");
        Worker worker(daemon, "w" + std::to_string(life));
        CHECK(worker.expect("task_assigned")["task.attempt"] == Json(life + 1));
    }
    const auto task = watcher.await_task("t1", "failed");
    CHECK(has(task, "error"));
    CHECK(integer(task, "failedAt") > 0);
    CHECK(field(task, "attempt") == 3);
    CHECK(field(api.worker("w2"), "failedTasks") == 1); // of the last holder
    CHECK(field(api.worker("w2"), "activeTasks") == 0);
    CHECK(field(api.worker("w0"), "failedTasks") == 0);
    CHECK(field(api.state(), "metadata.activeAssignments") == 0);
}

SCENARIO("unregistering is no lost lease, however often", "[liveness]")
{
    DaemonProcess daemon(patient);
    Api api(daemon);
    api.register_worker("w0");
    api.assign("t1");
    for (int life = 1; life < 6; ++life) {
        api.unregister("w" + std::to_string(life - 1));
        CHECK(field(api.task("t1"), "status") == "pending");
        const auto id = "w" + std::to_string(life);
        Watcher watcher(daemon, R"(["tasks:*"])");
        api.register_worker(id);
        CHECK(field(watcher.await_task("t1", "assigned"), "assignedTo") == Json(id));
    }
}

SCENARIO("a worker that lost its socket still counts as seen when it sends heartbeats over HTTP",
         "[liveness]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon);
    {
        Worker worker(daemon, "w1");
        api.assign("t1");
    }
    Heartbeats alive(daemon, "w1", 40ms);
    watcher.await_worker("w1", "offline"); // at once, by the close
    api.register_worker("silent");
    watcher.await_worker("silent", "offline"); // a whole timeout later
    CHECK(field(api.task("t1"), "assignedTo") == "w1");
}
