#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

SCENARIO("assigning answers the task, the worker, and what the change amounts to", "[tasks]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("worker-001", R"(["development"])");
    const auto before = api.revision();
    const auto reply =
        api.assign("task-123", "worker-001", R"({"title":"Example task","capabilities":["development"]})");
    CHECK(field(reply, "success") == Json(true));
    CHECK(field(reply, "workerId") == "worker-001");
    CHECK(integer(reply, "revision") > before);
    CHECK(field(reply, "durable") == "memory");
    const auto& task = field(reply, "task");
    CHECK(field(task, "id") == "task-123");
    CHECK(field(task, "title") == "Example task");
    CHECK(field(task, "capabilities") == Json(boost::json::array{"development"}));
    CHECK(field(task, "status") == "assigned");
    CHECK(field(task, "assignedTo") == "worker-001");
    CHECK(field(task, "attempt") == 1);
    CHECK(integer(task, "fence") > before);
    CHECK(integer(task, "fence") <= integer(reply, "revision"));
    CHECK(integer(task, "createdAt") > 1'600'000'000'000);
    CHECK(integer(task, "assignedAt") >= integer(task, "createdAt"));
    CHECK(integer(task, "lastUpdate") >= integer(task, "createdAt"));
    CHECK(api.task("task-123") == task);
}

SCENARIO("a task without a worker named goes to one by itself", "[tasks]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    WHEN("workerId is left out")
    {
        CHECK(field(api.assign("t1"), "workerId") == "w1");
    }
    WHEN("workerId is null, as daemon.assignTask(id, null, data) has it")
    {
        const auto reply =
            api.post("/api/tasks/assign", R"({"taskId":"t1","workerId":null,"taskData":{}})").json();
        CHECK(field(reply, "workerId") == "w1");
    }
    WHEN("taskData is left out")
    {
        CHECK(field(api.post("/api/tasks/assign", R"({"taskId":"t1"})").json(), "task.status") == "assigned");
    }
}

SCENARIO("an assignment that is refused says why and leaves no trace", "[tasks]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "1"});
    Api api(daemon);
    const auto assign = [&](std::string_view body) {
        return outcome(api.http.post("/api/tasks/assign", body));
    };
    const std::string nobody = "409 NO_AVAILABLE_WORKERS No available workers";

    WHEN("there is no worker")
    {
        CHECK(assign(R"({"taskId":"t1"})") == nobody);
    }
    WHEN("no worker has the capabilities")
    {
        api.register_worker("w1", R"(["a"])");
        CHECK(assign(R"({"taskId":"t1","taskData":{"capabilities":["a","b"]}})") == nobody);
    }
    WHEN("every worker is full")
    {
        api.register_worker("w1");
        api.assign("held");
        CHECK(assign(R"({"taskId":"t1"})") == nobody);
    }
    WHEN("the named worker is full")
    {
        api.register_worker("w1");
        api.assign("held");
        CHECK(assign(R"({"taskId":"t1","workerId":"w1"})") == "409 WORKER_AT_CAPACITY Worker at capacity");
    }
    WHEN("the named worker is offline")
    {
        Watcher watcher(daemon, R"(["workers:*"])");
        Worker worker(daemon, "w1");
        worker.close();
        watcher.await_worker("w1", "offline");
        CHECK(assign(R"({"taskId":"t1","workerId":"w1"})") == "409 WORKER_OFFLINE Worker is offline");
        CHECK(assign(R"({"taskId":"t1"})") == nobody);
    }
    WHEN("the named worker lacks a capability")
    {
        api.register_worker("w1", R"(["a"])");
        const auto refused = assign(R"({"taskId":"t1","workerId":"w1","taskData":{"capabilities":["b"]}})");
        CHECK(refused.starts_with("409 CAPABILITY_MISMATCH "));
    }
    const auto state = api.state();
    CHECK(outcome(api.http.get("/api/tasks/t1")) == "404 TASK_NOT_FOUND Task not found");
    CHECK(assign(R"({"taskId":"t1","workerId":"none"})") == "404 WORKER_NOT_FOUND Worker not found");
    CHECK(api.revision() == integer(state, "metadata.revision"));
}

SCENARIO("a task that is held or has ended is not assigned again", "[tasks]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.register_worker("w2");
    api.assign("t1", "w1", R"({"title":"first"})");
    if (GENERATE(false, true))
        api.complete("t1");
    const auto before = api.get("/api/state").body;
    for (const auto* body : {R"({"taskId":"t1"})", R"({"taskId":"t1","workerId":"w1"})",
                             R"({"taskId":"t1","workerId":"w2","taskData":{"title":"second"}})"})
        CHECK(outcome(api.http.post("/api/tasks/assign", body)).starts_with("409 TASK_CONFLICT "));
    CHECK(api.get("/api/state").body == before);
}

SCENARIO("completing ends the task with its result", "[tasks]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1", "", R"({"title":"Example"})");
    const auto reply = api.complete("t1", R"("result":{"status":"success","output":"done"})");
    CHECK(field(reply, "success") == Json(true));
    CHECK(field(reply, "durable") == "memory");
    CHECK(integer(reply, "revision") == api.revision());
    const auto& task = field(reply, "task");
    CHECK(field(task, "status") == "completed");
    CHECK(field(task, "title") == "Example");
    CHECK(field(task, "result.output") == "done");
    CHECK(integer(task, "completedAt") >= integer(task, "assignedAt"));
    CHECK_FALSE(has(task, "error"));
    CHECK(api.task("t1") == task);
    CHECK(field(api.state(), "assignments") == Json(boost::json::array{}));
}

SCENARIO("failing ends the task with its error, at once", "[tasks]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    const auto reply = api.fail("t1", R"("error":{"message":"Task failed","code":"EXECUTION_ERROR"})");
    CHECK(field(reply, "success") == Json(true));
    CHECK(field(reply, "durable") == "memory");
    CHECK(integer(reply, "revision") == api.revision());
    const auto& task = field(reply, "task");
    CHECK(field(task, "status") == "failed");
    CHECK(field(task, "error.code") == "EXECUTION_ERROR");
    CHECK(integer(task, "failedAt") >= integer(task, "assignedAt"));
    CHECK_FALSE(has(task, "result"));
    CHECK(api.task("t1") == task);
    CHECK(field(api.state(), "metadata.activeAssignments") == 0);
}

SCENARIO("result and error may be left out, or be anything that JSON can say", "[tasks]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    for (const auto* value : {"null", "0", "false", R"("text")", "[1,2]", "{}"}) {
        INFO(value);
        const auto done = std::string("done") + value[0];
        const auto failed = std::string("failed") + value[0];
        api.assign(done);
        api.assign(failed);
        CHECK(field(api.complete(done, "\"result\":" + std::string(value)), "task.result") == parse(value));
        CHECK(field(api.fail(failed, "\"error\":" + std::string(value)), "task.error") == parse(value));
    }
    api.assign("bare");
    CHECK(field(api.complete("bare"), "task.status") == "completed");
}
