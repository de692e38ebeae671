#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <set>

using namespace coordination::testing;

namespace {

Json reached(Api& api)
{
    return field(api.get("/api/metrics").json(), "limits");
}

/// Waits until the limit has been reached that often.
void await_reached(Api& api, std::string_view limit, std::int64_t times)
{
    for (const Deadline deadline; integer(reached(api), limit) < times;)
        REQUIRE_FALSE(deadline.passed());
}

std::string nested(int depth)
{
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
}

std::string with_request_id(const std::string& start)
{
    return start + R"(,"requestId":1})";
}

/// Until the daemon hangs up; says nothing meanwhile, not even a pong.
void stay_silent(WsPeer& peer)
{
    const Deadline deadline;
    while (peer.connection().read_more(deadline))
        peer.connection().take(peer.connection().unread().size());
    CHECK_FALSE(deadline.passed());
}

/// A claim of a worker without a socket, with `bytes` of something that nobody asks for.
std::string claim(int request, std::size_t bytes)
{
    return encoded({Opcode::text, R"({"type":"claim","workerId":"sh","waitMs":60000,"requestId":)" +
                                      std::to_string(request) + R"(,"filler":")" + std::string(bytes, 'x') +
                                      R"("})"});
}

const std::string heartbeat = encoded({Opcode::text, R"({"type":"heartbeat","workerId":"sh"})"});

} // namespace

SCENARIO("whoever goes over a limit is refused, and counted under it alone", "[limits][metrics]")
{
    DaemonProcess daemon({"--id-bytes-max", "10", "--json-depth-max", "8", "--body-bytes-max", "9000",
                          "--header-bytes-max", "2000", "--frame-bytes-max", "9000", "--tasks-max", "2",
                          "--workers-max", "2", "--max-queue-size", "1", "--max-tasks-per-worker", "5"});
    Api api(daemon);
    api.register_worker("w1");
    Worker worker(daemon, "w2"); // as many as may
    api.assign("t1", "w1");
    api.post("/api/tasks/submit", R"({"taskId":"t2","capabilities":["nobody"]})");
    api.post("/api/messages/publish", R"({"topic":"a","recipient":"w1"})");

    struct Case {
        std::string name;
        std::string limit;
        std::string code;
        std::function<std::string()> go_over; ///< the code that answers it, or the close code
    };
    const auto post = [&](const std::string& target, const std::string& body,
                          const std::string& header = {}) {
        HttpPeer http(daemon.http_port());
        const auto reply =
            http.post(target, body, header.empty() ? Headers{} : Headers{{"X-Filler", header}});
        return reply.status == 200 ? "200" : text(reply.json(), "code");
    };
    const auto send = [&](const std::string& start) {
        WsPeer peer(daemon.ws_port());
        peer.send(with_request_id(start));
        const auto answer = peer.next();
        return has(answer.json, "code") ? text(answer.json, "code") : "success";
    };
    const auto register_third = [&] { return post("/api/workers/register", R"({"workerId":"w3"})"); };
    const std::vector<Case> cases{
        {"an id in a body", "idBytes", "INVALID_FIELD",
         [&] { return post("/api/tasks/complete", R"({"taskId":"12345678901"})"); }},
        {"an id in a message", "idBytes", "INVALID_FIELD",
         [&] { return send(R"({"type":"complete","taskId":"12345678901")"); }},
        {"an id of a message of the bus", "idBytes", "INVALID_FIELD",
         [&] { return post("/api/messages/publish", R"({"topic":"a","messageId":"12345678901"})"); }},
        {"a topic", "idBytes", "INVALID_FIELD",
         [&] { return send(R"({"type":"subscribe_messages","topics":["12345678901"])"); }},
        {"a nested body", "jsonDepth", "INVALID_JSON",
         [&] { return post("/api/tasks/complete", R"({"taskId":"t1","result":)" + nested(9) + "}"); }},
        {"a nested message", "jsonDepth", "INVALID_JSON",
         [&] { return send(R"({"type":"complete","taskId":"t1","result":)" + nested(9)); }},
        {"a body", "bodyBytes", "PAYLOAD_TOO_LARGE",
         [&] { return post("/api/tasks/complete", std::string(9'001, ' ')); }},
        {"a header", "headerBytes", "PAYLOAD_TOO_LARGE",
         [&] { return post("/api/tasks/complete", "{}", std::string(2'000, 'x')); }},
        {"a WebSocket message", "frameBytes", "1009",
         [&] {
             WsPeer peer(daemon.ws_port());
             peer.send(std::string(9'001, ' '));
             return std::to_string(peer.close_code());
         }},
        {"one task more, assigned", "tasks", "QUEUE_FULL",
         [&] { return post("/api/tasks/assign", R"({"taskId":"t3","workerId":"w1"})"); }},
        {"one task more, submitted", "tasks", "QUEUE_FULL",
         [&] { return send(R"({"type":"submit","taskId":"t3")"); }},
        {"one worker more", "workers", "TOO_MANY_WORKERS", register_third},
        {"one worker more with a socket", "workers", "TOO_MANY_WORKERS",
         [&] { return send(R"({"type":"register","workerId":"w3")"); }},
        {"one message more", "messages", "QUEUE_FULL",
         [&] { return post("/api/messages/publish", R"({"topic":"a","recipient":"w1"})"); }},
        {"topics of changes", "topics", "INVALID_FIELD",
         [&] {
             std::string topics = R"("*")";
             for (int i = 0; i < 1'100; ++i)
                 topics += R"(,"*")";
             return send(R"({"type":"subscribe","topics":[)" + topics + "]");
         }},
        {"topics of messages, of a socket", "topics", "INVALID_FIELD",
         [&] {
             std::string topics = R"("0")";
             for (int i = 1; i <= 256; ++i)
                 topics += ",\"" + std::to_string(i) + '"';
             return send(R"({"type":"subscribe_messages","topics":[)" + topics + "]");
         }},
        {"topics of messages, of a worker", "topics", "INVALID_FIELD",
         [&] {
             std::string topics = R"("0")";
             for (int i = 1; i <= 256; ++i)
                 topics += ",\"" + std::to_string(i) + '"';
             return text(worker.call(R"({"type":"subscribe_messages","topics":[)" + topics + "]}").json,
                         "code");
         }},
        {"changes of long ago", "history", "REVISION_COMPACTED",
         [&] { return send(R"({"type":"subscribe","topics":["*"],"since":1)"); }},
    };
    for (const auto& [name, limit, code, go_over] : cases) {
        INFO(name);
        auto expected = reached(api);
        CHECK(go_over() == code);
        expected.as_object()[limit] = integer(expected, limit) + 1;
        CHECK(reached(api) == expected);
    }

    // What makes room lets in the next.
    api.complete("t1");
    CHECK(post("/api/tasks/assign", R"({"taskId":"t3","workerId":"w1"})") == "200");
    CHECK(post("/api/tasks/assign", R"({"taskId":"t3"})") == "TASK_CONFLICT"); // it is no new one
    api.unregister("w1");
    CHECK(register_third() == "200");
    const auto text = api.get("/metrics").body;
    CHECK(text.find("coordination_limit_reached_total{limit=\"idBytes\"} 4\n") != std::string::npos);
}

SCENARIO("tasks of one call that together are too many are all refused", "[limits]")
{
    DaemonProcess daemon({"--tasks-max", "2"});
    Api api(daemon);
    const auto batch = R"({"tasks":[{"taskId":"a"},{"taskId":"b"},{"taskId":"c"}]})";
    CHECK(outcome(api.http.post("/api/tasks/submit-batch", batch)).starts_with("429 QUEUE_FULL "));
    CHECK(integer(api.state(), "metadata.totalTasks") == 0);
    api.post("/api/tasks/submit-batch", R"({"tasks":[{"taskId":"a"},{"taskId":"b"}]})");
    api.post("/api/tasks/submit-batch",
             R"({"tasks":[{"taskId":"a"},{"taskId":"b"}]})"); // known: none is added
}

SCENARIO("a connection with --call-bytes-max of unanswered messages is not read from until some are answered",
         "[limits][ws]")
{
    DaemonProcess daemon({"--call-bytes-max", "2500", "--heartbeat-timeout", "600000"});
    Api api(daemon);
    api.register_worker("sh", R"(["sh"])");
    WsPeer peer(daemon.ws_port());
    peer.send_bytes(claim(1, 1'000) + claim(2, 1'000) + claim(3, 1'000) + heartbeat);
    await_reached(api, "callsUnderWay", 1);
    api.post("/api/tasks/submit", R"({"taskId":"t1","capabilities":["sh"]})");
    CHECK(peer.expect("response")["requestId"] == 1);
    peer.expect("heartbeat_ack"); // not before: it had not been read

    WsPeer large(daemon.ws_port()); // one alone may be larger
    large.send_bytes(claim(1, 5'000));
    large.send_bytes(heartbeat);
    await_reached(api, "callsUnderWay", 2);
    api.post("/api/tasks/submit-batch",
             R"({"tasks":[{"taskId":"t2","capabilities":["sh"]},{"taskId":"t3","capabilities":["sh"]},
                          {"taskId":"t4","capabilities":["sh"]}]})");
    std::set<std::string> types{large.next().type(), large.next().type()};
    CHECK(types == std::set<std::string>{"response", "heartbeat_ack"});
}

SCENARIO("the time in which the daemon does not read does not count as a peer's silence",
         "[limits][ws][http]")
{
    DaemonProcess daemon({"--call-bytes-max", "2500", "--heartbeat-timeout", "600000", "--ws-idle-timeout",
                          "300", "--request-timeout", "300"});
    Api api(daemon);
    api.register_worker("sh", R"(["sh"])");
    const std::string late = R"({"capabilities":["sh"],"delayMs":1500,"taskId":"t)"; // beyond every timeout
    SECTION("on a WebSocket")
    {
        WsPeer peer(daemon.ws_port());
        peer.send_bytes(claim(1, 1'000) + claim(2, 1'000) + claim(3, 1'000) + heartbeat);
        await_reached(api, "callsUnderWay", 1);
        api.post("/api/tasks/submit", late + R"(1"})");
        CHECK(peer.expect("response")["requestId"] == 1);
        peer.expect("heartbeat_ack");
        CHECK(integer(reached(api), "wsIdleTime") == 0);
    }
    SECTION("of a body that is to follow an answer")
    {
        api.post("/api/tasks/submit", late + R"(1"})");
        HttpPeer http(daemon.http_port());
        const auto head = [&](std::string_view path, std::size_t length, std::string_view more) {
            return "POST " + std::string(path) + " HTTP/1.1\r\nHost: " + http.host() +
                   "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) +
                   "\r\n" + std::string(more) + "\r\n";
        };
        const std::string body = R"({"workerId":"sh","waitMs":60000})";
        const std::string sign = R"({"workerId":"sh"})";
        http.send(head("/api/tasks/claim", body.size(), "") + body +
                  head("/api/workers/heartbeat", sign.size(), "Expect: 100-continue\r\n"));
        CHECK(http.read()["tasks.0.id"] == "t1");
        CHECK(http.read().status == 100);
        http.send(sign);
        CHECK(http.read().status == 200);
        CHECK(integer(reached(api), "requestTime") == 0);
    }
}

SCENARIO("whoever takes too much time is cut off, and counted under what it had time for",
         "[limits][metrics]")
{
    DaemonProcess daemon({"--handshake-timeout", "200", "--request-timeout", "200", "--http-idle-timeout",
                          "200", "--ws-idle-timeout", "200", "--max-tasks-per-worker", "1000"});
    const auto counts = [&](std::string_view limit) {
        HttpPeer http(daemon.http_port());
        return integer(field(http.get("/api/metrics").json(), "limits"), limit);
    };
    SECTION("for a request")
    {
        HttpPeer half(daemon.http_port());
        half.send("GET / HT");
        CHECK(half.closed());
        CHECK(counts("requestTime") == 1);
    }
    SECTION("between requests")
    {
        HttpPeer idle(daemon.http_port());
        idle.get("/health");
        CHECK(idle.closed());
        CHECK(counts("httpIdleTime") == 1);
    }
    SECTION("for a handshake")
    {
        HttpPeer silent(daemon.ws_port());
        CHECK(silent.closed());
        CHECK(counts("handshakeTime") == 1);
    }
    SECTION("for a pong")
    {
        WsPeer silent(daemon.ws_port());
        stay_silent(silent);
        CHECK(counts("wsIdleTime") == 1);
    }
    SECTION("to read")
    {
        HttpPeer http(daemon.http_port());
        http.post("/api/workers/register", R"({"workerId":"w1"})");
        const auto data = R"(,"taskData":{"blob":")" + std::string(100'000, 'x') + R"("}})";
        for (int i = 0; i < 100; ++i) // more than the buffers of a socket and its peer hold
            http.post("/api/tasks/assign", R"({"taskId":"t)" + std::to_string(i) + '"' + data);
        HttpPeer unread(daemon.http_port());
        unread.send("GET /api/state HTTP/1.1\r\nHost: " + unread.host() + "\r\n\r\n");
        for (const Deadline deadline; counts("unreadTime") == 0;)
            REQUIRE_FALSE(deadline.passed());
    }
}
