#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>

using namespace coordination::testing;

namespace {

/// Sends a claim that waits, and does not wait for its answer.
void send_claim(HttpPeer& http, std::string_view worker)
{
    const auto body = R"({"workerId":")" + std::string(worker) + R"(","waitMs":60000})";
    http.send("POST /api/tasks/claim HTTP/1.1\r\nHost: " + http.host() +
              "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
}

/// Asks until the daemon has heard of the worker after `since`: its claim has arrived.
void await_sign_of_life(Api& api, std::string_view worker, std::int64_t since)
{
    while (integer(api.worker(worker), "lastHeartbeat") <= since)
        api.next_millisecond("clock");
}

/// A worker that fetches its work, of which nothing has been heard in this millisecond.
std::int64_t fetching_worker(Api& api, std::string_view id)
{
    api.register_worker("clock", R"(["nothing"])");
    api.register_worker(id, R"(["sh"])");
    api.post("/api/tasks/claim", R"({"workerId":")" + std::string(id) + R"("})");
    api.next_millisecond("clock");
    return integer(api.worker(id), "lastHeartbeat");
}

} // namespace

SCENARIO("a claim whose caller has gone is given nothing", "[claims]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto before = fetching_worker(api, "sh");
    {
        HttpPeer gone(daemon.http_port());
        send_claim(gone, "sh");
        await_sign_of_life(api, "sh", before);
    }
    api.state(); // the end of the other connection has come before this
    api.post("/api/tasks/submit", R"({"taskId":"t1","capabilities":["sh"]})");
    CHECK(field(api.task("t1"), "status") == "pending");
    CHECK(field(api.post("/api/tasks/claim", R"({"workerId":"sh"})").json(), "tasks.0.id") == "t1");
}

SCENARIO("who says goodbye while its claim waits stays away", "[claims]")
{
    DaemonProcess daemon({"--heartbeat-interval", "50", "--heartbeat-timeout", "400"});
    Api api(daemon);
    const auto before = fetching_worker(api, "sh");
    HttpPeer waiting(daemon.http_port());
    send_claim(waiting, "sh");
    await_sign_of_life(api, "sh", before);
    api.post("/api/workers/goodbye", R"({"workerId":"sh"})");
    api.post("/api/tasks/submit", R"({"taskId":"t1","capabilities":["sh"]})");
    CHECK(field(waiting.read().json(), "tasks").as_array().empty());
    CHECK(field(api.worker("sh"), "status") == "offline");
    CHECK(field(api.task("t1"), "status") == "pending");
}

SCENARIO("a claim ends with the WebSocket that it came over", "[claims]")
{
    DaemonProcess daemon({"--heartbeat-interval", "50", "--heartbeat-timeout", "400"});
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    {
        Worker worker(daemon, "w1");
        worker.send(R"({"type":"claim","workerId":"w1","waitMs":60000,"requestId":1})");
        CHECK(worker.call(R"({"type":"get_worker","workerId":"w1"})")["success"] == true);
    }
    watcher.await_worker("w1", "offline");
    Worker again(daemon, "w1");
    const Heartbeats alive(daemon, "w1", std::chrono::milliseconds{50});
    Watcher time(daemon, R"(["tasks:*"])");
    api.post("/api/tasks/submit", R"({"taskId":"late","capabilities":["nobody"],"delayMs":300})");
    time.await([](const Json& change) { // longer than a claim may wait here
        return summary(change) == "tasks:update:late";
    });
    api.post("/api/tasks/submit", R"({"taskId":"t1"})");
    CHECK(again.expect("task_assigned")["task.id"] == "t1"); // it is still one that is sent its work
}

SCENARIO("a stop does not wait for work that a claim waits for", "[claims][shutdown]")
{
    DaemonProcess daemon({"--heartbeat-timeout", "600000", "--drain-timeout", "60000"});
    Api api(daemon);
    const auto before = fetching_worker(api, "sh");
    HttpPeer waiting(daemon.http_port());
    send_claim(waiting, "sh");
    await_sign_of_life(api, "sh", before);
    Worker worker(daemon, "w1");
    worker.send(R"({"type":"claim","workerId":"w1","waitMs":60000,"requestId":"wait"})");
    CHECK(worker.call(R"({"type":"get_worker","workerId":"w1"})")["success"] == true);

    const auto begun = std::chrono::steady_clock::now();
    daemon.signal(SIGTERM);
    const auto answer = waiting.read();
    CHECK(answer.status == 200);
    CHECK(answer["tasks"].as_array().empty());
    const auto told = worker.expect("response");
    CHECK(told["requestId"] == "wait");
    CHECK(told["tasks"].as_array().empty());
    CHECK(worker.close_code() == 1001);
    CHECK(daemon.wait().status == 0);
    CHECK(std::chrono::steady_clock::now() - begun < patience / 2); // a claim may wait for longer
}

SCENARIO("a claim over a WebSocket needs a requestId: else nobody would hear what was claimed", "[claims]")
{
    DaemonProcess daemon;
    Api api(daemon);
    WsPeer socket(daemon.ws_port());
    api.register_worker("w1");
    socket.send(R"({"type":"claim","workerId":"w1"})");
    const auto refused = socket.expect("error");
    CHECK(refused["code"] == "MISSING_FIELD");
    CHECK(refused["workerId"] == "w1");
}
