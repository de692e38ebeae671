#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

SCENARIO("registering answers the worker with all its fields", "[workers]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto reply =
        api.post(
               "/api/workers/register",
               R"({"workerId":"worker-001","capabilities":["development","security"],"metadata":{"pid":42}})")
            .json();
    CHECK(field(reply, "success") == Json(true));
    const auto& worker = field(reply, "worker");
    CHECK(field(worker, "id") == "worker-001");
    CHECK(field(worker, "capabilities") == Json{"development", "security"});
    CHECK(field(worker, "metadata.pid") == 42);
    CHECK(field(worker, "status") == "idle");
    CHECK(field(worker, "activeTasks") == 0);
    CHECK(field(worker, "completedTasks") == 0);
    CHECK(field(worker, "failedTasks") == 0);
    CHECK(integer(worker, "registeredAt") > 1'600'000'000'000); // milliseconds since the epoch
    CHECK(integer(worker, "lastHeartbeat") >= integer(worker, "registeredAt"));
    CHECK(integer(worker, "lastSeen") >= integer(worker, "registeredAt"));
    CHECK(field(worker, "subscriptions") == Json(boost::json::array{}));

    CHECK(field(api.worker("worker-001"), "id") == "worker-001");
    CHECK(field(api.get("/api/workers").json(), "workers.0.id") == "worker-001");
}

SCENARIO("capabilities and metadata may be left out", "[workers]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto reply = api.post("/api/workers/register", R"({"workerId":"w1"})").json();
    CHECK(field(reply, "worker.capabilities") == Json(boost::json::array{}));
    CHECK(field(reply, "worker.metadata") == Json(boost::json::object{}));
}

SCENARIO("registering again renews capabilities and metadata and keeps the tasks", "[workers]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1", R"(["a"])");
    api.assign("t1", "w1");
    const auto reply = api.register_worker("w1", R"(["b"])");
    CHECK(field(reply, "worker.capabilities") == Json(boost::json::array{"b"}));
    CHECK(field(reply, "worker.activeTasks") == 1);
    CHECK(field(api.task("t1"), "assignedTo") == "w1");
    CHECK(field(api.state(), "metadata.totalWorkers") == 1);
}

SCENARIO("a worker is busy when it has no room and idle when it holds nothing", "[workers]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "1"});
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    CHECK(field(api.worker("w1"), "status") == "busy");
    CHECK(field(api.worker("w1"), "activeTasks") == 1);
    api.complete("t1");
    CHECK(field(api.worker("w1"), "status") == "idle");
    CHECK(field(api.worker("w1"), "activeTasks") == 0);
    CHECK(field(api.worker("w1"), "completedTasks") == 1);
    api.assign("t2");
    api.fail("t2");
    CHECK(field(api.worker("w1"), "completedTasks") == 1);
    CHECK(field(api.worker("w1"), "failedTasks") == 1);
    CHECK(field(api.worker("w1"), "status") == "idle");
}

SCENARIO("unregistering removes the worker", "[workers]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    CHECK(field(api.unregister("w1"), "success") == Json(true));
    CHECK(outcome(api.http.get("/api/workers/w1")) == "404 WORKER_NOT_FOUND Worker not found");
    CHECK(outcome(api.http.post("/api/workers/unregister", R"({"workerId":"w1"})")) ==
          "404 WORKER_NOT_FOUND Worker not found");
}

SCENARIO("unregistering gives the tasks back, to the next capable worker", "[workers]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1", R"(["a"])");
    api.assign("t1", "w1", R"({"capabilities":["a"]})");
    WHEN("nobody else can do them")
    {
        api.register_worker("other", R"(["b"])");
        api.unregister("w1");
        const auto task = api.task("t1");
        CHECK(field(task, "status") == "pending");
        CHECK((!has(task, "assignedTo") || field(task, "assignedTo").is_null()));
        CHECK(field(task, "reassignedFrom") == "w1");
        CHECK(field(api.state(), "assignments") == Json(boost::json::array{}));
        THEN("they wait for one who can")
        {
            Worker next(daemon, "w2", R"(["a"])");
            CHECK(next.expect("task_assigned")["task.id"] == "t1");
        }
    }
    WHEN("another can")
    {
        Worker next(daemon, "w2", R"(["a"])");
        api.unregister("w1");
        const auto assigned = next.expect("task_assigned");
        CHECK(assigned["task.id"] == "t1");
        CHECK(assigned["task.assignedTo"] == "w2");
        CHECK(assigned["task.attempt"] == 2);
        CHECK(assigned["task.reassignedFrom"] == "w1");
        CHECK(integer(assigned.json, "task.reassignedAt") > 0);
    }
}

SCENARIO("a heartbeat answers the time and tells the worker's liveness, and is no change of state",
         "[workers]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    const auto before = api.revision();
    api.next_millisecond("w1");
    const auto reply = api.post("/api/workers/heartbeat", R"({"workerId":"w1"})").json();
    CHECK(field(reply, "success") == Json(true));
    const auto worker = api.worker("w1");
    CHECK(integer(worker, "lastHeartbeat") == integer(reply, "timestamp"));
    CHECK(integer(worker, "lastSeen") == integer(reply, "timestamp"));
    CHECK(integer(worker, "lastHeartbeat") > integer(worker, "registeredAt"));
    CHECK(api.revision() == before);
    CHECK_FALSE(has(reply, "revision"));
}
