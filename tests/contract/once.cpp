#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

std::string status_and_code(const HttpReply& reply)
{
    const auto whole = outcome(reply);
    return whole.substr(0, whole.find(' ', whole.find(' ') + 1));
}

/// The second attempt of t1 is held by w2; the first was lost when w1 unregistered.
struct SecondAttempt {
    SecondAttempt()
    {
        api.register_worker("w1");
        first_fence = integer(api.assign("t1"), "task.fence");
        api.unregister("w1");
        Watcher watcher(daemon, R"(["tasks:*"])");
        api.register_worker("w2");
        const auto task = watcher.await_task("t1", "assigned");
        REQUIRE(field(task, "assignedTo") == "w2");
        second_fence = integer(task, "fence");
    }

    std::string end(const std::string& call, const std::string& more = "")
    {
        const auto reply =
            api.http.post("/api/tasks/" + call, R"({"taskId":"t1")" + (more.empty() ? "" : "," + more) + "}");
        return reply.status == 200 ? "200" : status_and_code(reply);
    }

    DaemonProcess daemon;
    Api api{daemon};
    std::int64_t first_fence = 0;
    std::int64_t second_fence = 0;
};

} // namespace

SCENARIO("each assignment has the next attempt and a higher fence", "[once]")
{
    SecondAttempt given;
    CHECK(field(given.api.task("t1"), "attempt") == 2);
    CHECK(given.second_fence > given.first_fence);
    CHECK(integer(given.api.assign("t2"), "task.fence") > given.second_fence);
    CHECK(field(given.api.task("t2"), "attempt") == 1);
}

SCENARIO("a call that names an attempt or fence that is not live is STALE_ATTEMPT and changes nothing",
         "[once]")
{
    SecondAttempt given;
    const auto before = given.api.get("/api/state").body;
    const auto* call = GENERATE("complete", "fail");
    CHECK(given.end(call, R"("attempt":1)") == "409 STALE_ATTEMPT");
    CHECK(given.end(call, R"("attempt":3)") == "409 STALE_ATTEMPT");
    CHECK(given.end(call, "\"fence\":" + std::to_string(given.first_fence)) == "409 STALE_ATTEMPT");
    CHECK(given.end(call, "\"fence\":" + std::to_string(given.second_fence + 1)) == "409 STALE_ATTEMPT");
    CHECK(given.end(call, R"("workerId":"w1")") == "409 STALE_ATTEMPT");
    CHECK(given.end(call, R"("workerId":"w1","attempt":2)") == "409 STALE_ATTEMPT");
    CHECK(given.api.get("/api/state").body == before);
}

SCENARIO("a call that names neither counts only while the first attempt is live", "[once]")
{
    WHEN("the second attempt is live")
    {
        SecondAttempt given;
        CHECK(given.end("complete") == "409 STALE_ATTEMPT");
        CHECK(given.end("fail") == "409 STALE_ATTEMPT");
        CHECK(field(given.api.task("t1"), "status") == "assigned");
    }
    WHEN("the first was lost and nobody has the task")
    {
        DaemonProcess daemon;
        Api api(daemon);
        api.register_worker("w1");
        api.assign("t1");
        api.unregister("w1");
        CHECK(status_and_code(api.http.post("/api/tasks/complete", R"({"taskId":"t1"})")) ==
              "409 STALE_ATTEMPT");
        CHECK(field(api.task("t1"), "status") == "pending");
    }
    WHEN("it names the live attempt, the live fence or the holder")
    {
        SecondAttempt given;
        const auto more = GENERATE_REF(values<std::string>(
            {R"("attempt":2)", R"("workerId":"w2")", "fence", R"("workerId":"w2","attempt":2)"}));
        CAPTURE(more);
        CHECK(given.end("complete",
                        more == "fence" ? "\"fence\":" + std::to_string(given.second_fence) : more) == "200");
        CHECK(field(given.api.task("t1"), "status") == "completed");
    }
}

SCENARIO("a holder that is named must be the holder", "[once]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.register_worker("w2");
    api.assign("t1", "w1");
    const auto before = api.get("/api/state").body;
    const auto complete = [&](std::string_view body) {
        return status_and_code(api.http.post("/api/tasks/complete", body));
    };
    CHECK(complete(R"({"taskId":"t1","workerId":"w2"})") == "409 STALE_ATTEMPT");
    CHECK(complete(R"({"taskId":"t1","workerId":"nobody"})") == "409 STALE_ATTEMPT");
    CHECK(api.get("/api/state").body == before);
    CHECK(field(api.complete("t1", R"("workerId":"w1")"), "task.status") == "completed");
}

SCENARIO("a task ends once: the same end again is a duplicate and changes nothing", "[once]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    const auto completes = GENERATE(true, false);
    const std::string first = completes ? R"("result":{"n":1})" : R"("error":{"n":1})";
    const std::string other = completes ? R"("result":{"n":2})" : R"("error":{"n":2})";
    const auto end = [&](std::string_view more) {
        return completes ? api.complete("t1", more) : api.fail("t1", more);
    };
    CHECK_FALSE(has(end(first), "duplicate"));
    const auto before = api.get("/api/state").body;
    for (const auto& more :
         {first, other, std::string(), std::string(R"("attempt":1)"), std::string(R"("workerId":"w1")")}) {
        INFO(more);
        const auto again = end(more);
        CHECK(field(again, "success") == Json(true));
        CHECK(field(again, "duplicate") == Json(true));
        CHECK(field(again, completes ? "task.result.n" : "task.error.n") == 1);
        CHECK_FALSE(has(again, "revision")); // which calls tell that changed something
    }
    CHECK(api.get("/api/state").body == before);
    CHECK(field(api.worker("w1"), completes ? "completedTasks" : "failedTasks") == 1);
}

SCENARIO("a task ends once: the opposite end is TASK_CONFLICT", "[once]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    const auto completed = GENERATE(true, false);
    completed ? api.complete("t1") : api.fail("t1");
    const auto before = api.get("/api/state").body;
    const auto* opposite = completed ? "/api/tasks/fail" : "/api/tasks/complete";
    CHECK(status_and_code(api.http.post(opposite, R"({"taskId":"t1"})")) == "409 TASK_CONFLICT");
    CHECK(status_and_code(api.http.post(opposite, R"({"taskId":"t1","attempt":1})")) == "409 TASK_CONFLICT");
    CHECK(api.get("/api/state").body == before);
}

SCENARIO("after the end, a call that names an older attempt is STALE_ATTEMPT", "[once]")
{
    SecondAttempt given;
    CHECK(given.end("complete", R"("attempt":2)") == "200");
    CHECK(given.end("complete", R"("attempt":1)") == "409 STALE_ATTEMPT");
    CHECK(given.end("fail", R"("attempt":1)") == "409 STALE_ATTEMPT");
    CHECK(given.end("complete", R"("attempt":2)") == "200");
    CHECK(given.end("complete") == "200");
    CHECK(given.end("fail", R"("attempt":2)") == "409 TASK_CONFLICT");
}

SCENARIO("over its own socket a worker needs to name nothing, at any attempt", "[once][ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    api.unregister("w1");
    Worker worker(daemon, "w2");
    CHECK(worker.expect("task_assigned")["task.attempt"] == 2);
    CHECK(worker.call(R"({"type":"task_update","taskId":"t1","status":"completed","result":1})")["success"] ==
          Json(true));
    CHECK(field(api.task("t1"), "status") == "completed");
}

SCENARIO("an update over the socket of a worker that no longer holds the task is STALE_ATTEMPT", "[once][ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.assign("t1");
    worker.expect("task_assigned");
    api.unregister("w1");
    Worker again(daemon, "w1"); // anew, and given the task anew
    CHECK(again.expect("task_assigned")["task.attempt"] == 2);
    CHECK(again.call(R"({"type":"task_update","taskId":"t1","status":"in_progress","attempt":1})")["code"] ==
          "STALE_ATTEMPT");

    Worker other(daemon, "w2");
    const auto before = api.get("/api/tasks/t1").body;
    for (const auto* status : {"in_progress", "completed", "failed"}) {
        other.send(R"({"type":"task_update","taskId":"t1","status":")" + std::string(status) + R"("})");
        const auto error = other.expect("error");
        CHECK(error["code"] == "STALE_ATTEMPT");
        CHECK(error["taskId"] == "t1");
    }
    CHECK(api.get("/api/tasks/t1").body == before);
}
