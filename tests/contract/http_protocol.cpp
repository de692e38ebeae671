#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

SCENARIO("a connection is kept for the next request", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (int i = 0; i < 20; ++i)
        CHECK(api.http.get("/health").status == 200);
    CHECK(api.http.get("/nowhere").status == 404); // a refusal does not cost the connection
    CHECK(api.http.post("/api/tasks/assign", "{").status == 400);
    CHECK(api.http.get("/health").status == 200);
}

SCENARIO("Connection: close is honoured", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    const auto reply = http.get("/health", {{"Connection", "close"}});
    CHECK(reply.status == 200);
    CHECK(reply.header("connection") == "close");
    CHECK(http.closed());
}

SCENARIO("a hundred requests in one write are answered in order", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    std::string requests;
    for (int i = 0; i < 100; ++i) {
        // Writing, reading and refused ones in turn: the slow must not be overtaken by the quick.
        const auto id = "w" + std::to_string(i / 4);
        const auto body = R"({"workerId":")" + id + R"("})";
        const auto host = " HTTP/1.1\r\nHost: " + api.http.host() + "\r\n";
        const auto with_body =
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body;
        if (i % 4 == 0)
            requests += "POST /api/workers/register" + host + with_body;
        else if (i % 4 == 1)
            requests += "GET /api/workers/" + id + host + "\r\n";
        else if (i % 4 == 2)
            requests += "GET /api/tasks/none" + host + "\r\n";
        else
            requests += "POST /api/workers/heartbeat" + host + with_body;
    }
    api.http.send(requests);
    for (int i = 0; i < 100; ++i) {
        INFO("answer " << i);
        const auto reply = api.http.read();
        const auto id = "w" + std::to_string(i / 4);
        if (i % 4 == 0)
            CHECK(reply["worker.id"] == Json(id));
        else if (i % 4 == 1)
            CHECK(reply["id"] == Json(id));
        else if (i % 4 == 2)
            CHECK(reply.status == 404);
        else
            CHECK(reply["timestamp"].is_number());
    }
}

SCENARIO("a request that arrives byte by byte is understood", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    const std::string body = R"({"workerId":"w1"})";
    const auto request =
        "POST /api/workers/register HTTP/1.1\r\nHost: " + http.host() +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    for (const char byte : request)
        http.send(std::string_view(&byte, 1));
    CHECK(http.read()["worker.id"] == "w1");
}

SCENARIO("a body may come in chunks", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    http.send("POST /api/workers/register HTTP/1.1\r\nHost: " + http.host() +
              "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5;name=value\r\n{\"wor\r\nB\r\nkerId\":\"w1\"\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n");
    CHECK(http.read()["worker.id"] == "w1");
    CHECK(http.get("/api/workers/w1").status == 200);
}

SCENARIO("Expect: 100-continue is answered before the body is sent", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    const std::string body = R"({"workerId":"w1"})";
    http.send("POST /api/workers/register HTTP/1.1\r\nHost: " + http.host() +
              "\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n");
    CHECK(http.read().status == 100);
    http.send(body);
    CHECK(http.read()["worker.id"] == "w1");
}

SCENARIO("HTTP/1.0 is answered and hung up on, and never gets chunks", "[http]")
{
    DaemonProcess daemon;
    Api(daemon).register_worker("w1");
    for (const auto* target : {"/health", "/api/workers", "/api/state"}) {
        INFO(target);
        HttpPeer http(daemon.http_port());
        http.send("GET " + std::string(target) + " HTTP/1.0\r\n\r\n");
        const auto reply = http.read();
        CHECK(reply.status == 200);
        CHECK_FALSE(reply.header("transfer-encoding"));
        CHECK(reply.json().is_object());
        CHECK(http.closed());
    }
}

SCENARIO("a peer that is done sending still gets its answer", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    http.send("GET /health HTTP/1.1\r\nHost: " + http.host() + "\r\n\r\n");
    http.connection().finish_sending();
    CHECK(http.read().status == 200);
    CHECK(http.closed());
}

SCENARIO("what is no HTTP is refused as a failure, and the daemon lives on", "[http]")
{
    DaemonProcess daemon;
    const auto host = "Host: 127.0.0.1:" + std::to_string(daemon.http_port()) + "\r\n";
    const auto json = host + "Content-Type: application/json\r\n";
    for (const auto& bytes : {
             std::string("\x16\x03\x01\x02\x01nonsense that could be a TLS hello\r\n\r\n"),
             std::string("GET\r\n\r\n"),
             std::string("GET /health HTTP/1.1\r\nno colon here\r\n\r\n"),
             "GET /health HTTP/1.1\r\n" + host + "Content-Length: many\r\n\r\n",
             "POST /api/snapshot HTTP/1.1\r\n" + json + "Content-Length: -1\r\n\r\n",
             "POST /api/snapshot HTTP/1.1\r\n" + json + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
             "POST /api/snapshot HTTP/1.1\r\n" + json +
                 "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "POST /api/snapshot HTTP/1.1\r\n" + json + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
         }) {
        CAPTURE(bytes);
        HttpPeer http(daemon.http_port());
        http.send(bytes);
        CHECK(outcome(http.read()).starts_with("400 "));
        CHECK(http.closed()); // where the next request begins, nobody knows
    }
    CHECK(Api(daemon).get("/health")["status"] == "healthy");
}

SCENARIO("HTTP/1.1 without a Host is refused", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    http.send("GET /health HTTP/1.1\r\n\r\n");
    CHECK(outcome(http.read()).starts_with("400 "));
}

SCENARIO("peers that vanish in the middle of a request leave nothing behind", "[http]")
{
    DaemonProcess daemon;
    for (int i = 0; i < 50; ++i) {
        HttpPeer http(daemon.http_port());
        http.send("POST /api/tasks/assign HTTP/1.1\r\nHost: " + http.host() +
                  "\r\nContent-Length: 100\r\n\r\n{");
        if (i % 2)
            http.connection().abort();
    }
    Api api(daemon);
    CHECK(api.get("/health")["status"] == "healthy");
    CHECK(api.state().at("tasks").as_array().empty());
}

SCENARIO("both servers may share one port number", "[http][ws]")
{
    for (int tries = 0;; ++tries) {
        const auto port = std::to_string(free_port());
        try {
            DaemonProcess daemon({"--port", port, "--ws-port", port});
            CHECK(std::to_string(daemon.http_port()) == port);
            CHECK(std::to_string(daemon.ws_port()) == port);
            Worker worker(daemon, "w1");
            Api(daemon).assign("t1");
            CHECK(worker.expect("task_assigned")["task.id"] == "t1");
            return;
        } catch (const std::exception&) {
            if (tries == 3) // the port may have been taken since
                throw;
        }
    }
}
