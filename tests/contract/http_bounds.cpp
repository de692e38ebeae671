#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace coordination::testing;

namespace {

std::string head_of(const HttpPeer& http, std::string_view start, std::string_view more)
{
    return std::string(start) + " HTTP/1.1\r\nHost: " + http.host() + "\r\n" + std::string(more) + "\r\n";
}

const std::string in_chunks = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";

/// Sends the same bytes until the daemon answers or hangs up. True when that came before `bytes_max`.
bool stopped_within(HttpPeer& http, std::string_view bytes, std::size_t bytes_max)
{
    for (std::size_t sent = 0; sent < bytes_max; sent += bytes.size())
        if (!http.connection().write_until_answered(bytes))
            return true;
    return false;
}

} // namespace

SCENARIO("a chunk's extensions and the trailers are bounded like a head", "[http][bounds]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    http.send(head_of(http, "POST /api/tasks/assign", in_chunks));
    const std::string start =
        GENERATE(as<std::string>{}, "1;", "1\r\n{\r\n0\r\nTrailer: ", "1\r\n{\r\n0\r\n");
    http.send(start);
    const auto filler = std::string(1000, 'a') + (start.ends_with('\n') ? ":b\r\n" : "");
    CHECK(stopped_within(http, filler, 64 << 20));
    CHECK(outcome(http.read()).starts_with("413 PAYLOAD_TOO_LARGE "));
    CHECK(http.closed());
    CHECK(Api(daemon).get("/health")["status"] == "healthy");
}

SCENARIO("a body whose end two readers could see differently is refused, and nothing after it is read",
         "[http][bounds]")
{
    DaemonProcess daemon;
    const std::string smuggled = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (const auto* coding : {"gzip", "chunked, gzip", "chunked, identity", "xchunked", ""}) {
        INFO(coding);
        HttpPeer http(daemon.http_port());
        http.send(head_of(http, "POST /api/snapshot", "Transfer-Encoding: " + std::string(coding) + "\r\n") +
                  smuggled);
        CHECK(outcome(http.read()).starts_with("400 "));
        CHECK(http.closed());
        CHECK(http.connection().unread().empty());
    }
    HttpPeer old(daemon.http_port());
    old.send("POST /api/snapshot HTTP/1.0\r\nConnection: keep-alive\r\n" + in_chunks + "\r\n0\r\n\r\n" +
             smuggled);
    CHECK(outcome(old.read()).starts_with("400 "));
    CHECK(old.closed());
    CHECK(old.connection().unread().empty());
}

SCENARIO("whoever may not call is told so before the body is read", "[http][bounds][access]")
{
    const TempDir folder;
    write_file(folder.file("token"), "s3cret");
    DaemonProcess daemon({"--token-file", folder.file("token")});
    HttpPeer http(daemon.http_port());
    const std::string json = "Content-Type: application/json\r\n";
    WHEN("the body is still to come")
    {
        http.send(head_of(http, "POST /api/tasks/assign", json + "Content-Length: 1000000\r\n"));
        CHECK(outcome(http.read()).starts_with("401 "));
        CHECK(http.closed());
    }
    WHEN("it waits for a 100 Continue")
    {
        http.send(head_of(http, "POST /api/tasks/assign",
                          json + "Expect: 100-continue\r\nContent-Length: 1000000\r\n"));
        CHECK(outcome(http.read()).starts_with("401 "));
    }
    WHEN("most of it is on its way")
    {
        http.send(head_of(http, "POST /api/tasks/assign", json + "Content-Length: 4000000\r\n"));
        http.send(std::string(3'000'000, ' ')); // read and dropped, so that no reset overtakes the answer
        CHECK(outcome(http.read()).starts_with("401 "));
        CHECK(http.closed());
    }
    WHEN("it came with the head")
    {
        CHECK(outcome(http.post("/api/tasks/assign", "{}")).starts_with("401 "));
        CHECK(http.get("/health").status == 200); // the connection is kept
    }
}

SCENARIO("what follows a request with Connection: close does not cost its answer", "[http][bounds]")
{
    DaemonProcess daemon;
    for (int i = 0; i < 20; ++i) {
        HttpPeer http(daemon.http_port());
        http.send(head_of(http, "GET /api/metrics", "Connection: close\r\n") + std::string(200'000, 'x'));
        CHECK(http.read().status == 200);
        http.connection().finish_sending();
        CHECK(http.closed());
    }
}

SCENARIO("an empty line before a request is skipped", "[http]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    http.send("\r\n" + head_of(http, "GET /health", "") + "\r");
    CHECK(http.read().status == 200);
    http.send("\n\r\n" + head_of(http, "GET /health", ""));
    CHECK(http.read().status == 200);
}

SCENARIO("HTTP on the WebSocket port is told to upgrade", "[http][ws]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.ws_port());
    const auto reply = http.get("/api/state");
    CHECK(outcome(reply).starts_with("426 UPGRADE_REQUIRED "));
    CHECK(reply.header("upgrade") == "websocket");
    CHECK(reply.header("connection") == "Upgrade");
}

SCENARIO("--handshake-timeout holds from the connect on, whatever bytes come", "[ws][bounds]")
{
    DaemonProcess daemon({"--handshake-timeout", "200", "--request-timeout", "3600000"});
    HttpPeer silent(daemon.ws_port());
    HttpPeer slow(daemon.ws_port());
    slow.send("GET / HT");
    CHECK(silent.closed());
    CHECK(slow.closed());
}

SCENARIO("one connection too many is told so on the HTTP port, and closed", "[http][bounds]")
{
    DaemonProcess daemon({"--connections-max", "1"});
    HttpPeer first(daemon.http_port());
    CHECK(first.get("/health").status == 200);
    HttpPeer second(daemon.http_port());
    const auto reply = second.read();
    CHECK(outcome(reply).starts_with("503 TOO_MANY_CONNECTIONS "));
    CHECK(reply.header("connection") == "close");
    CHECK(second.closed());
    HttpPeer third(daemon.ws_port());
    CHECK(third.closed());
    CHECK(first.get("/api/metrics")["limits.connections"] == 2);
}

SCENARIO("a page of an allowed origin may read why it was refused", "[access]")
{
    const TempDir folder;
    write_file(folder.file("token"), "s3cret");
    DaemonProcess daemon({"--token-file", folder.file("token"), "--allow-origin", "https://dash.example"});
    HttpPeer http(daemon.http_port());
    const auto refused = http.get("/api/state", {{"Origin", "https://dash.example"}});
    CHECK(refused.status == 401);
    CHECK(refused.header("access-control-allow-origin") == "https://dash.example");
    CHECK_FALSE(
        http.get("/api/state", {{"Origin", "https://evil.example"}}).header("access-control-allow-origin"));
}

SCENARIO("reads of the whole state that nobody takes are bounded in number", "[http][bounds]")
{
    constexpr int reads_max = 64;
    DaemonProcess daemon({"--max-tasks-per-worker", "1000", "--request-timeout", "3600000"});
    Api api(daemon);
    api.register_worker("w1");
    const auto data = R"({"blob":")" + std::string(100'000, 'x') + "\"}";
    for (int i = 0; i < 100; ++i) // more than the buffers of a socket and its peer hold
        api.assign("t" + std::to_string(i), "w1", data);
    std::vector<HttpPeer> readers;
    for (int i = 0; i < reads_max; ++i) {
        auto& reader = readers.emplace_back(daemon.http_port());
        reader.send(head_of(reader, "GET /api/state", ""));
        REQUIRE(reader.connection().read_more());
    }
    const auto refused = api.http.get("/api/state");
    CHECK(outcome(refused).starts_with("503 TOO_MANY_READS "));
    CHECK(refused.header("retry-after"));
    CHECK(api.get("/api/metrics")["limits.stateReads"] == 1);
    CHECK(api.get("/api/tasks/t1").status == 200);
    readers.clear();
    const Deadline deadline;
    while (api.http.get("/api/state").status != 200)
        REQUIRE_FALSE(deadline.passed());
}
