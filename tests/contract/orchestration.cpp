#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

SCENARIO("a socket orchestrates as HTTP does: assign, complete, fail, get_task, get_worker",
         "[orchestration]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1", R"(["a"])");
    WsPeer peer(daemon.ws_port());

    const auto assigned =
        peer.call(R"({"type":"assign","taskId":"t1","taskData":{"title":"x","capabilities":["a"]}})");
    CHECK(assigned["success"] == Json(true));
    CHECK(assigned["workerId"] == "w1");
    CHECK(assigned["task"] == api.task("t1"));
    CHECK(assigned["durable"] == "memory");
    CHECK(integer(assigned.json, "revision") == api.revision());
    CHECK(worker.expect("task_assigned")["task.title"] == "x");

    const auto task = peer.call(R"({"type":"get_task","taskId":"t1"})");
    CHECK(task["success"] == Json(true));
    CHECK(task["task"] == api.task("t1"));
    const auto about = peer.call(R"({"type":"get_worker","workerId":"w1"})");
    CHECK(about["success"] == Json(true));
    CHECK(about["worker"] == api.worker("w1"));

    const auto completed = peer.call(R"({"type":"complete","taskId":"t1","result":{"n":1}})");
    CHECK(completed["success"] == Json(true));
    CHECK(completed["task"] == api.task("t1"));
    CHECK(completed["task.status"] == "completed");
    CHECK(integer(completed.json, "revision") == api.revision());
    CHECK(peer.call(R"({"type":"complete","taskId":"t1"})")["duplicate"] == Json(true));

    peer.call(R"({"type":"assign","taskId":"t2","workerId":"w1"})");
    const auto failed = peer.call(R"({"type":"fail","taskId":"t2","error":{"message":"x"}})");
    CHECK(failed["task.status"] == "failed");
    CHECK(failed["task.error.message"] == "x");
}

SCENARIO("refusals over a socket are those of HTTP", "[orchestration]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "1"});
    Api api(daemon);
    api.register_worker("w1", R"(["a"])");
    api.assign("held", "w1");
    WsPeer peer(daemon.ws_port());
    struct Case {
        std::string message;
        std::string code;
        std::string text; ///< empty: free
    };
    for (const auto& [message, code, words] : std::vector<Case>{
             {R"({"type":"assign"})", "MISSING_FIELD", "taskId is required"},
             {R"({"type":"assign","taskId":9})", "INVALID_FIELD", ""},
             {R"({"type":"assign","taskId":"t","taskData":7})", "INVALID_FIELD", ""},
             {R"({"type":"assign","taskId":"t","priority":"now"})", "INVALID_FIELD", ""},
             {R"({"type":"assign","taskId":"t"})", "NO_AVAILABLE_WORKERS", "No available workers"},
             {R"({"type":"assign","taskId":"t","workerId":"none"})", "WORKER_NOT_FOUND", "Worker not found"},
             {R"({"type":"assign","taskId":"t","workerId":"w1"})", "WORKER_AT_CAPACITY",
              "Worker at capacity"},
             {R"({"type":"assign","taskId":"held"})", "TASK_CONFLICT", ""},
             {R"({"type":"complete"})", "MISSING_FIELD", "taskId is required"},
             {R"({"type":"complete","taskId":"none"})", "TASK_NOT_FOUND", "Task not found"},
             {R"({"type":"complete","taskId":"held","attempt":2})", "STALE_ATTEMPT", ""},
             {R"({"type":"complete","taskId":"held","workerId":"w2"})", "STALE_ATTEMPT", ""},
             {R"({"type":"fail"})", "MISSING_FIELD", "taskId is required"},
             {R"({"type":"fail","taskId":"none"})", "TASK_NOT_FOUND", "Task not found"},
             {R"({"type":"get_task"})", "MISSING_FIELD", "taskId is required"},
             {R"({"type":"get_task","taskId":"none"})", "TASK_NOT_FOUND", "Task not found"},
             {R"({"type":"get_worker"})", "MISSING_FIELD", "workerId is required"},
             {R"({"type":"get_worker","workerId":"none"})", "WORKER_NOT_FOUND", "Worker not found"},
         }) {
        INFO(message);
        const auto response = peer.call(message);
        CHECK(response["success"] == Json(false));
        CHECK(response["code"] == Json(code));
        if (!words.empty())
            CHECK(response["error"] == Json(words));
        peer.send(message);
        const auto error = peer.expect("error");
        if (message.find("get_") ==
            std::string::npos) { // a question without requestId could never be answered
            CHECK(error["code"] == Json(code));
            CHECK(error["message"] == response["error"]);
        }
    }
    peer.send(R"({"type":"assign","taskId":"t","workerId":"none"})");
    CHECK(peer.expect("error")["taskId"] == "t");
    peer.send(R"({"type":"get_worker","workerId":"none"})");
    CHECK(peer.expect("error")["workerId"] == "none");
}

SCENARIO("orders without requestId are carried out and not answered", "[orchestration]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    WsPeer peer(daemon.ws_port());
    peer.send(R"({"type":"assign","taskId":"t1"})");
    worker.expect("task_assigned");
    peer.send(R"({"type":"complete","taskId":"t1"})");
    peer.send(R"({"type":"heartbeat","workerId":"nobody"})");
    peer.expect("error"); // of the heartbeat, and nothing before it
    CHECK(field(api.task("t1"), "status") == "completed");
}

SCENARIO("a worker may orchestrate over its own socket too", "[orchestration]")
{
    DaemonProcess daemon;
    Worker w1(daemon, "w1");
    Worker w2(daemon, "w2");
    CHECK(w1.call(R"({"type":"assign","taskId":"t1","workerId":"w2"})")["workerId"] == "w2");
    CHECK(w2.expect("task_assigned")["task.id"] == "t1");
    CHECK(w2.call(R"({"type":"complete","taskId":"t1"})")["success"] == Json(true));
}

SCENARIO("complete and fail over the socket of a worker that does not hold the task are STALE_ATTEMPT",
         "[orchestration]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker w1(daemon, "w1");
    Worker w2(daemon, "w2");
    api.assign("t1", "w2");
    const auto before = api.get("/api/tasks/t1").body;
    CHECK(w1.call(R"({"type":"complete","taskId":"t1"})")["code"] == "STALE_ATTEMPT");
    CHECK(w1.call(R"({"type":"fail","taskId":"t1"})")["code"] == "STALE_ATTEMPT");
    CHECK(api.get("/api/tasks/t1").body == before);
}

SCENARIO("of two sockets that order and report, each hears its own answers", "[orchestration]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "1000"});
    Api(daemon).register_worker("w1");
    WsPeer a(daemon.ws_port());
    WsPeer b(daemon.ws_port());
    for (int i = 0; i < 100; ++i) {
        const auto n = std::to_string(i);
        a.send(R"({"type":"assign","requestId":"a)" + n + R"(","taskId":"a)" + n + "\"}");
        b.send(R"({"type":"assign","requestId":"b)" + n + R"(","taskId":"b)" + n + "\"}");
    }
    for (int i = 0; i < 100; ++i) {
        for (auto [peer, name] : {std::pair{&a, "a"}, std::pair{&b, "b"}}) {
            const auto id = name + std::to_string(i);
            const auto response = peer->expect("response");
            CHECK(response["requestId"] == Json(id));
            CHECK(response["task.id"] == Json(id));
        }
    }
}
