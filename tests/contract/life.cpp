#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace coordination::testing;
using namespace std::chrono_literals;

namespace {

const Arguments quick{"--heartbeat-interval", "50", "--heartbeat-timeout", "400"};

std::string submission(std::string_view id, std::string_view more = "")
{
    return R"({"taskId":")" + std::string(id) + "\"" + (more.empty() ? "" : ",") + std::string(more) + "}";
}

} // namespace

SCENARIO("what is submitted waits until a capable worker has room", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto taken =
        api.post("/api/tasks/submit", submission("t1", R"("capabilities":["gpu"],"priority":"high")"));
    CHECK(field(taken.json(), "task.status") == "pending");
    Worker idle(daemon, "w0", R"(["cpu"])");
    const auto why = api.get("/api/tasks/t1/explain").json();
    CHECK(field(why, "reasons.0.reason") == "no_such_worker");
    CHECK(field(why, "reasons.0.names.0") == "gpu");

    Worker worker(daemon, "w1", R"(["gpu"])");
    const auto assigned = worker.expect("task_assigned");
    CHECK(assigned["task.id"] == "t1");
    CHECK(assigned["task.attempt"] == 1);
    CHECK(api.complete("t1").as_object().at("success") == true);
    const auto events = field(api.get("/api/tasks/t1/events").json(), "events").as_array();
    REQUIRE(events.size() == 3);
    CHECK(field(events[0], "event") == "submitted");
    CHECK(field(events[1], "event") == "assigned");
    CHECK(field(events[2], "event") == "completed");
}

SCENARIO("the same submission again is a duplicate, another one under its id a conflict", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.post("/api/tasks/submit", submission("t1", R"("taskData":{"title":"a"})"));
    const auto revision = api.revision();
    const auto again = api.post("/api/tasks/submit", submission("t1", R"("taskData":{"title":"a"})")).json();
    CHECK(field(again, "duplicate") == true);
    const auto other = api.http.post("/api/tasks/submit", submission("t1", R"("taskData":{"title":"b"})"));
    CHECK(other.status == 409);
    CHECK(field(other.json(), "code") == "TASK_CONFLICT");
    CHECK(api.revision() == revision);
}

SCENARIO("a batch is taken whole or not at all, and its tasks go in the order of their dependencies",
         "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto circle = api.http.post(
        "/api/tasks/submit-batch",
        R"({"tasks":[{"taskId":"a","dependsOn":["b"]},{"taskId":"b","dependsOn":["a"]},{"taskId":"c"}]})");
    CHECK(circle.status == 400);
    const auto unknown = api.http.post("/api/tasks/submit-batch",
                                       R"({"tasks":[{"taskId":"a"},{"taskId":"b","dependsOn":["nobody"]}]})");
    CHECK(unknown.status == 400);
    CHECK(api.state().at("tasks").as_array().empty());

    const auto alone = R"({"tasks":[{"taskId":"alone","capabilities":["nobody has it"]}]})";
    CHECK(field(api.post("/api/tasks/submit-batch", alone).json(), "tasks.0.taskId") == "alone");
    const auto again = api.post("/api/tasks/submit-batch", alone).json();
    CHECK(field(again, "tasks.0.duplicate") == true);
    CHECK(field(again, "duplicate") == true);

    api.post("/api/tasks/submit-batch",
             R"({"tasks":[{"taskId":"second","dependsOn":["first"]},{"taskId":"first"},)"
             R"({"taskId":"spoiled","dependsOn":["broken"]},{"taskId":"broken"}]})");
    CHECK(field(api.get("/api/tasks/second/explain").json(), "reasons.0.reason") == "waits_for_tasks");
    Worker worker(daemon, "w1");
    CHECK(worker.expect("task_assigned")["task.id"] == "first");
    CHECK(worker.expect("task_assigned")["task.id"] == "broken");
    api.complete("first");
    CHECK(worker.expect("task_assigned")["task.id"] == "second");
    api.fail("broken");
    CHECK(field(api.task("spoiled"), "status") == "cancelled");
    CHECK(field(api.task("spoiled"), "error.code") == "DEPENDENCY_FAILED");
}

SCENARIO("a failed attempt is tried again as its retry says, and its past is told", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.post("/api/tasks/submit",
             submission("t1", R"("retry":{"maxFailures":2,"backoff":{"type":"fixed","baseMs":30}})"));
    const auto first = worker.expect("task_assigned");
    const auto failed =
        worker.call(R"({"type":"task_update","taskId":"t1","status":"failed","error":{"message":"no"}})");
    CHECK(failed["task.status"] == "pending");
    const auto second = worker.expect("task_assigned");
    CHECK(second["task.attempt"] == 2);
    CHECK(second["task.fence"].to_number<std::int64_t>() > first["task.fence"].to_number<std::int64_t>());
    const auto stale = api.http.post("/api/tasks/complete", R"({"taskId":"t1"})");
    CHECK(field(stale.json(), "code") == "STALE_ATTEMPT");
    worker.call(R"({"type":"task_update","taskId":"t1","status":"failed"})");
    const auto task = api.task("t1");
    CHECK(field(task, "status") == "failed");
    CHECK(field(task, "pastAttempts.0.error.message") == "no");

    const auto dry = api.post("/api/tasks/redrive", R"({"dryRun":true})").json();
    CHECK(field(dry, "count") == 1);
    CHECK(field(api.task("t1"), "status") == "failed");
    api.post("/api/tasks/retry", R"({"taskId":"t1"})");
    CHECK(worker.expect("task_assigned")["task.attempt"] == 3);
}

SCENARIO("an attempt that takes too long is ended and counts as a failure", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Worker worker(daemon, "w1");
    api.post("/api/tasks/submit", submission("t1", R"("timeoutMs":50)"));
    worker.expect("task_assigned");
    const auto failed = watcher.await_task("t1", "failed");
    CHECK(field(failed, "error.code") == "TIMEOUT");
    CHECK(worker.expect("task_cancelled")["taskId"] == "t1");
}

SCENARIO("an acknowledged cancel is the end, whatever the holder says", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Worker worker(daemon, "w1");
    api.post("/api/tasks/submit", submission("t1"));
    worker.expect("task_assigned");
    GIVEN("a holder that is told to stop")
    {
        api.post("/api/tasks/cancel", R"({"taskId":"t1","graceMs":60000,"reason":"not needed"})");
        const auto told = worker.expect("task_cancelled");
        CHECK(told["taskId"] == "t1");
        CHECK(told["reason"] == "not needed");
        CHECK(field(api.task("t1"), "status") == "assigned");
        WHEN("it confirms")
        {
            CHECK(worker.call(R"({"type":"task_update","taskId":"t1","status":"cancelled"})")["success"] ==
                  true);
        }
        WHEN("it completes nevertheless")
        {
            CHECK(worker.call(R"({"type":"task_update","taskId":"t1","status":"completed"})")["success"] ==
                  true);
        }
        CHECK(field(api.task("t1"), "status") == "cancelled");
    }
    GIVEN("a holder that does not listen")
    {
        api.post("/api/tasks/cancel", R"({"taskId":"t1","graceMs":50})");
        watcher.await_task("t1", "cancelled");
        CHECK(field(api.worker("w1"), "activeTasks") == 0);
    }
}

SCENARIO("a worker that drains is given nothing, and at the deadline its tasks go to others", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker leaving(daemon, "w1");
    api.assign("t1");
    leaving.expect("task_assigned");
    Worker other(daemon, "w2");
    api.post("/api/workers/drain", R"({"workerId":"w1","deadlineMs":50})");
    CHECK(field(api.worker("w1"), "status") == "draining");
    const auto again = other.expect("task_assigned");
    CHECK(again["task.id"] == "t1");
    CHECK(again["task.attempt"] == 2);
    CHECK_FALSE(has(api.task("t1"), "leasesLost"));
}

SCENARIO("a shell script with curl is a full worker", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("sh", R"(["cpu"])");
    CHECK(field(api.post("/api/tasks/claim", R"({"workerId":"sh"})").json(), "tasks").as_array().empty());
    api.post("/api/tasks/submit", submission("t1", R"("capabilities":["cpu"])"));
    CHECK(field(api.task("t1"), "status") == "pending"); // it fetches its work: nothing is sent to it
    const auto claimed = api.post("/api/tasks/claim", R"({"workerId":"sh","max":5,"waitMs":5000})").json();
    REQUIRE(field(claimed, "tasks").as_array().size() == 1);
    CHECK(field(claimed, "tasks.0.id") == "t1");
    CHECK(field(claimed, "tasks.0.status") == "in_progress");
    const auto fence = std::to_string(integer(claimed, "tasks.0.fence"));
    const auto done = api.post("/api/tasks/complete", R"({"taskId":"t1","fence":)" + fence + "}").json();
    CHECK(field(done, "task.status") == "completed");
    WHEN("there is nothing to do")
    {
        HttpPeer waiting(daemon.http_port());
        waiting.send("POST /api/tasks/claim HTTP/1.1\r\nHost: " + waiting.host() +
                     "\r\nContent-Type: application/json\r\n"
                     "Content-Length: 33\r\n\r\n"
                     R"({"workerId":"sh","waitMs": 60000})");
        api.post("/api/tasks/submit", submission("t2"));
        THEN("a long poll is answered when there is")
        {
            CHECK(field(waiting.read().json(), "tasks.0.id") == "t2");
        }
    }
}

SCENARIO("a late completion of a worker that was stopped is refused", "[life]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["*"])");
    Worker slow(daemon, "slow", R"(["x"])");
    api.post("/api/tasks/submit", submission("t1", R"("capabilities":["x"])"));
    slow.expect("task_assigned");
    watcher.await_worker("slow", "offline"); // it is silent, as a stopped process is
    Worker other(daemon, "other", R"(["x"])");
    other.expect("task_assigned");
    const auto late = slow.call(R"({"type":"task_update","taskId":"t1","status":"completed"})");
    CHECK(late["code"] == "STALE_ATTEMPT");
    CHECK(field(api.task("t1"), "assignedTo") == "other");
}

SCENARIO("the life of tasks survives kill -9", "[life]")
{
    const TempDir folder;
    const Arguments durable{
        "--persistence", "write-ahead-log", "--wal-sync-interval", "0", "--port", "0", "--ws-port", "0"};
    std::int64_t revision = 0;
    {
        DaemonProcess daemon(folder, durable);
        Api api(daemon);
        api.post("/api/tasks/submit-batch",
                 R"({"tasks":[{"taskId":"a","retry":{"maxFailures":3},"uniqueKey":"k"},)"
                 R"({"taskId":"b","dependsOn":["a"]},{"taskId":"c","delayMs":3600000}]})");
        api.register_worker("w1");
        api.fail("a");
        revision = api.revision();
        daemon.kill();
    }
    DaemonProcess daemon(folder, durable);
    Api api(daemon);
    CHECK(api.revision() >= revision);
    const auto a = api.task("a");
    CHECK(field(a, "attempt") == 2);
    CHECK(field(a, "pastAttempts").as_array().size() == 1);
    CHECK(field(api.task("b"), "waitingFor") == 1);
    CHECK(field(api.get("/api/tasks/c/explain").json(), "reasons.0.reason") == "waits_for_time");
    const auto same = api.post("/api/tasks/submit", submission("a2", R"("uniqueKey":"k")")).json();
    CHECK(field(same, "duplicate") == true);
    CHECK(field(same, "task.id") == "a");
}

SCENARIO("a waiting task that is assigned keeps what the call does not tell anew", "[life]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.post("/api/tasks/submit",
             submission("t1", R"("taskData":{"title":"a","capabilities":["gpu"],"priority":"low"},)"
                              R"("timeoutMs":60000,"retry":{"maxFailures":4})"));
    Worker worker(daemon, "w1", R"(["cpu"])");
    const auto call = [&api](std::string_view more) {
        return api.http.post("/api/tasks/assign", submission("t1", more));
    };
    CHECK(field(call(R"("priority":"high")").json(), "code") == "NO_AVAILABLE_WORKERS");
    CHECK(field(api.task("t1"), "priority") == "low"); // what is refused leaves no trace

    const auto assigned = call(R"("capabilities":["cpu"],"timeoutMs":5000)").json();
    CHECK(field(assigned, "workerId") == "w1");
    const auto task = field(assigned, "task");
    CHECK(field(task, "title") == "a");
    CHECK(field(task, "capabilities.0") == "cpu");
    CHECK(field(task, "priority") == "low");
    CHECK(field(task, "timeoutMs") == 5000);
    CHECK(field(task, "retry.maxFailures") == 4);
}
