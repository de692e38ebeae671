#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

void keeps_open(WsPeer& peer, std::string_view id)
{
    peer.send(R"({"type":"heartbeat","workerId":")" + std::string(id) + R"("})");
    CHECK(peer.expect("heartbeat_ack")["timestamp"].is_number());
}

} // namespace

SCENARIO("a worker that registers is told what it needs to know", "[ws]")
{
    DaemonProcess daemon({"--heartbeat-interval", "1234", "--heartbeat-timeout", "5678"});
    Api api(daemon);
    WsPeer peer(daemon.ws_port());
    peer.send(
        R"({"type":"register","workerId":"worker-001","capabilities":["development"],"metadata":{"pid":1}})");
    const auto registered = peer.expect("registered");
    CHECK(registered["workerId"] == "worker-001");
    CHECK(integer(registered.json, "timestamp") > 1'600'000'000'000);
    CHECK_FALSE(text(registered.json, "sessionId").empty());
    CHECK(integer(registered.json, "revision") == api.revision());
    CHECK(registered["heartbeatInterval"] == 1234);
    CHECK(registered["heartbeatTimeout"] == 5678);
    CHECK(registered["tasks"] == Json(boost::json::array{}));
    const auto worker = api.worker("worker-001");
    CHECK(field(worker, "capabilities") == Json(boost::json::array{"development"}));
    CHECK(field(worker, "metadata.pid") == 1);
    CHECK(field(worker, "status") == "idle");
}

SCENARIO("each session has an id of its own", "[ws]")
{
    DaemonProcess daemon;
    Worker first(daemon, "w1");
    Worker second(daemon, "w2");
    CHECK(first.registered["sessionId"] != second.registered["sessionId"]);
}

SCENARIO("a heartbeat is acknowledged with the time", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    worker.send(R"({"type":"heartbeat","workerId":"w1"})");
    const auto ack = worker.expect("heartbeat_ack");
    CHECK(field(api.worker("w1"), "lastHeartbeat") == ack["timestamp"]);
    WHEN("it names nobody, it is the socket's worker's")
    {
        worker.send(R"({"type":"heartbeat"})");
        worker.expect("heartbeat_ack");
    }
    WHEN("it names another, it is INVALID_FIELD")
    {
        api.register_worker("w2");
        worker.send(R"({"type":"heartbeat","workerId":"w2"})");
        const auto error = worker.expect("error");
        CHECK(error["code"] == "INVALID_FIELD");
        CHECK(error["workerId"] == "w2");
    }
}

SCENARIO("a heartbeat for an unknown worker is WORKER_NOT_FOUND", "[ws]")
{
    DaemonProcess daemon;
    WsPeer peer(daemon.ws_port());
    peer.send(R"({"type":"heartbeat","workerId":"nobody"})");
    const auto error = peer.expect("error");
    CHECK(error["code"] == "WORKER_NOT_FOUND");
    CHECK(error["workerId"] == "nobody");
}

SCENARIO("a heartbeat after the worker was unregistered is WORKER_NOT_FOUND, so that it registers anew",
         "[ws]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    Api(daemon).unregister("w1");
    worker.send(R"({"type":"heartbeat","workerId":"w1"})");
    CHECK(worker.expect("error")["code"] == "WORKER_NOT_FOUND");
    worker.send(R"({"type":"register","workerId":"w1"})");
    worker.expect("registered");
}

SCENARIO("an assignment reaches the worker as a whole task, with attempt and fence", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "worker-001", R"(["development"])");
    api.assign("task-123", "", R"({"title":"Example task","capabilities":["development"]})");
    const auto assigned = worker.expect("task_assigned");
    CHECK(integer(assigned.json, "timestamp") > 1'600'000'000'000);
    CHECK(assigned["task"] == api.task("task-123"));
    CHECK(assigned["task.title"] == "Example task");
    CHECK(assigned["task.status"] == "assigned");
    CHECK(assigned["task.attempt"] == 1);
}

SCENARIO("a worker over WebSocket takes a task through its life", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.assign("t1");
    worker.expect("task_assigned");
    Watcher watcher(daemon, R"(["tasks:*"])");

    worker.send(R"({"type":"task_update","taskId":"t1","status":"in_progress","progress":50})");
    auto task = watcher.await_task("t1", "in_progress");
    CHECK(field(task, "progress") == 50);

    worker.send(R"({"type":"task_update","taskId":"t1","progress":75})"); // progress alone
    task = watcher.await_task("t1", "in_progress");
    CHECK(field(task, "progress") == 75);

    WHEN("it completes")
    {
        worker.send(R"({"type":"task_update","taskId":"t1","status":"completed","result":{"output":"x"}})");
        task = watcher.await_task("t1", "completed");
        CHECK(field(task, "result.output") == "x");
        CHECK(field(api.worker("w1"), "completedTasks") == 1);
    }
    WHEN("it completes and has no result to tell")
    {
        worker.send(R"({"type":"task_update","taskId":"t1","status":"completed"})");
        watcher.await_task("t1", "completed");
    }
    WHEN("it fails")
    {
        worker.send(R"({"type":"task_update","taskId":"t1","status":"failed","error":{"message":"x"}})");
        task = watcher.await_task("t1", "failed");
        CHECK(field(task, "error.message") == "x");
        CHECK(field(api.worker("w1"), "failedTasks") == 1);
    }
    CHECK(field(api.worker("w1"), "activeTasks") == 0);
    keeps_open(worker, "w1"); // and no message came that the seed does not know
}

SCENARIO("progress alone on an assigned task is accepted", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.assign("t1");
    worker.expect("task_assigned");
    CHECK(worker.call(R"({"type":"task_update","taskId":"t1","progress":0})")["success"] == Json(true));
    CHECK(field(api.task("t1"), "progress") == 0);
}

SCENARIO("a status that a worker may not set is an error, and nothing changes", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.assign("t1");
    worker.expect("task_assigned");
    const auto before = api.get("/api/state").body;
    for (const auto* status : {R"("done")", R"("")", R"("COMPLETED")", R"("pending")", R"("assigned")",
                               R"("cancelled")", "7", "null"}) {
        INFO(status);
        worker.send(R"({"type":"task_update","taskId":"t1","status":)" + std::string(status) + "}");
        const auto error = worker.expect("error");
        CHECK_FALSE(text(error.json, "message").empty());
        CHECK_FALSE(text(error.json, "code").empty());
        CHECK(error["taskId"] == "t1");
    }
    const auto state = parse(api.get("/api/state").body);
    CHECK(field(state, "tasks") == field(parse(before), "tasks"));
    CHECK(field(state, "metadata.revision") == field(parse(before), "metadata.revision"));
}

SCENARIO("task updates that are wrong say how, and name the task", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.assign("t1");
    worker.expect("task_assigned");
    const auto error = [&](std::string_view message) {
        worker.send(message);
        return worker.expect("error");
    };
    CHECK(error(R"({"type":"task_update","status":"completed"})")["code"] == "MISSING_FIELD");
    CHECK(error(R"({"type":"task_update","taskId":5,"status":"completed"})")["code"] == "INVALID_FIELD");
    CHECK(error(R"({"type":"task_update","taskId":"t1","status":"in_progress","progress":"half"})")["code"] ==
          "INVALID_FIELD");
    CHECK(error(R"({"type":"task_update","taskId":"t1","status":"finished"})")["code"] == "INVALID_FIELD");
    const auto unknown = error(R"({"type":"task_update","taskId":"none","status":"completed"})");
    CHECK(unknown["code"] == "TASK_NOT_FOUND");
    CHECK(unknown["message"] == "Task not found");
    CHECK(unknown["taskId"] == "none");
    worker.call(R"({"type":"task_update","taskId":"t1","status":"completed"})");
    const auto contradicting = error(R"({"type":"task_update","taskId":"t1","status":"failed"})");
    CHECK(contradicting["code"] == "TASK_CONFLICT");
    CHECK(contradicting["taskId"] == "t1");
    CHECK(error(R"({"type":"task_update","taskId":"t1","status":"in_progress"})")["taskId"] == "t1");
    CHECK(field(api.task("t1"), "status") == "completed");
}

SCENARIO("a worker that repeats the end is told that it is a duplicate", "[ws][once]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    api.assign("t1");
    worker.expect("task_assigned");
    const auto* complete = R"({"type":"task_update","taskId":"t1","status":"completed","result":1})";
    const auto first = worker.call(complete);
    CHECK(first["success"] == Json(true));
    CHECK_FALSE(has(first.json, "duplicate"));
    const auto second = worker.call(complete);
    CHECK(second["success"] == Json(true));
    CHECK(second["duplicate"] == Json(true));
    worker.send(complete); // a repeat that asks for no response gets none
    keeps_open(worker, "w1");
    CHECK(field(api.worker("w1"), "completedTasks") == 1);
}

SCENARIO("a socket that is no worker may not send task_update", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    const auto before = api.get("/api/state").body;
    WsPeer peer(daemon.ws_port());
    peer.send(R"({"type":"task_update","taskId":"t1","status":"completed"})");
    CHECK(peer.expect("error")["taskId"] == "t1");
    CHECK(api.get("/api/state").body == before);
}

SCENARIO("what is malformed is answered with an error and the connection stays open", "[ws]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    const auto code = [&](std::string_view message) {
        worker.send(message);
        const auto error = worker.expect("error");
        CHECK_FALSE(text(error.json, "message").empty());
        return text(error.json, "code");
    };
    CHECK(code("") == "INVALID_JSON");
    CHECK(code("hello") == "INVALID_JSON");
    CHECK(code(R"({"type":"heartbeat")") == "INVALID_JSON");
    CHECK(code(R"({"type":"heartbeat"} {})") == "INVALID_JSON");
    CHECK_THAT(code("[]"), Catch::StartsWith("INVALID_"));
    CHECK_THAT(code("null"), Catch::StartsWith("INVALID_"));
    CHECK_THAT(code(std::string(50'000, '[')), Catch::StartsWith("INVALID_"));
    CHECK(code("{}") == "MISSING_FIELD");
    CHECK(code(R"({"type":7})") == "INVALID_FIELD");
    CHECK_FALSE(code(R"({"type":"dance"})").empty());
    CHECK_FALSE(code(R"({"type":"registered","workerId":"w1"})")
                    .empty()); // the daemon's own types are none of a client's
    CHECK(code(R"({"type":"register"})") == "MISSING_FIELD");
    CHECK(code(R"({"type":"register","workerId":"w1","capabilities":"a"})") == "INVALID_FIELD");
    CHECK(code(R"({"type":"register","workerId":"w1","metadata":[]})") == "INVALID_FIELD");
    keeps_open(worker, "w1");
}

SCENARIO("with requestId, and only then, a response comes instead of what would", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    WsPeer peer(daemon.ws_port());
    peer.send(R"({"type":"register","requestId":"r-1","workerId":"w1","capabilities":["a"]})");
    const auto registered = peer.expect("response");
    CHECK(registered["requestId"] == "r-1");
    CHECK(registered["success"] == Json(true));
    CHECK(registered["workerId"] == "w1");
    CHECK_FALSE(text(registered.json, "sessionId").empty());
    CHECK(registered["tasks"] == Json(boost::json::array{}));
    CHECK(registered["durable"] == "memory");
    CHECK(integer(registered.json, "revision") == api.revision());

    peer.send(R"({"type":"heartbeat","requestId":"r-2","workerId":"w1"})");
    const auto ack = peer.expect("response");
    CHECK(ack["requestId"] == "r-2");
    CHECK(ack["timestamp"].is_number());

    api.assign("t1", "w1");
    peer.expect("task_assigned");
    const auto update = peer.call(R"({"type":"task_update","taskId":"t1","status":"in_progress"})");
    CHECK(update["success"] == Json(true));
    CHECK(integer(update.json, "revision") == api.revision());

    peer.send(R"({"type":"task_update","requestId":"r-3","taskId":"none","status":"completed"})");
    const auto refused = peer.expect("response");
    CHECK(refused["requestId"] == "r-3");
    CHECK(refused["success"] == Json(false));
    CHECK(refused["code"] == "TASK_NOT_FOUND");
    CHECK(refused["error"] == "Task not found");

    peer.send(R"({"requestId":"r-4","type":"dance"})");
    CHECK(peer.expect("response")["success"] == Json(false));
    keeps_open(peer, "w1");
}

SCENARIO("a requestId comes back as it was", "[ws]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    for (const auto* id : {R"("")", R"("a \" \\ ü 😀")", R"("7")"}) {
        worker.send(R"({"type":"heartbeat","requestId":)" + std::string(id) + "}");
        CHECK(worker.expect("response")["requestId"] == parse(id));
    }
}

SCENARIO("a hundred messages in one write are answered in order", "[ws]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    std::string bytes;
    for (int i = 0; i < 100; ++i)
        bytes += encoded({Opcode::text, R"({"type":"heartbeat","requestId":"r)" + std::to_string(i) + "\"}"});
    worker.send_bytes(bytes);
    for (int i = 0; i < 100; ++i)
        CHECK(worker.expect("response")["requestId"] == Json("r" + std::to_string(i)));
}

SCENARIO("a second socket of the same worker takes its place", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker first(daemon, "w1");
    api.assign("held");
    first.expect("task_assigned");
    Worker second(daemon, "w1");
    CHECK(second.registered["sessionId"] != first.registered["sessionId"]);
    CHECK(second.registered["tasks"] == Json(boost::json::array{"held"}));
    CHECK(second.expect("task_assigned")["task.id"] == "held"); // it may never have received it
    CHECK(field(api.state(), "metadata.totalWorkers") == 1);

    AND_WHEN("the first one goes")
    {
        first.abort();
        // An ordinary close is known to be handled when it is answered; a reset is not, so one of each.
        WsPeer bystander(daemon.ws_port());
        bystander.close();
        THEN("the worker is still there and gets what is new, once")
        {
            CHECK(field(api.worker("w1"), "status") != "offline");
            api.assign("new", "w1");
            CHECK(second.expect("task_assigned")["task.id"] == "new");
            keeps_open(second, "w1");
        }
    }
    AND_WHEN("it works on")
    {
        CHECK(second.call(R"({"type":"task_update","taskId":"held","status":"completed"})")["success"] ==
              Json(true));
    }
}

SCENARIO("a socket stays the worker that it registered as", "[ws]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    worker.send(R"({"type":"register","workerId":"w2"})");
    const auto error = worker.expect("error");
    CHECK(error["code"] == "INVALID_FIELD");
    CHECK(error["workerId"] == "w2");
    CHECK(api.http.get("/api/workers/w2").status == 404);
    worker.send(R"({"type":"register","workerId":"w1","capabilities":["b"]})");
    CHECK(worker.expect("registered")["workerId"] == "w1");
    CHECK(field(api.worker("w1"), "capabilities") == Json(boost::json::array{"b"}));
}
