#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

bool forbidden(const HttpReply& reply)
{
    return outcome(reply).starts_with("403 FORBIDDEN_ORIGIN ");
}

HttpReply handshake(const DaemonProcess& daemon, const Headers& headers)
{
    HttpPeer http(daemon.ws_port());
    return WsPeer::handshake(http, headers);
}

} // namespace

SCENARIO("a Host that is not ours is refused", "[access]")
{
    DaemonProcess daemon;
    const auto port = std::to_string(daemon.http_port());
    HttpPeer http(daemon.http_port());
    CHECK(forbidden(http.get("/api/state", {{"Host", "evil.example"}})));
    CHECK(forbidden(http.get("/api/state", {{"Host", "evil.example:" + port}})));
    CHECK(forbidden(http.get("/api/state", {{"Host", "localhost.evil.example"}})));
    CHECK(forbidden(http.post("/api/workers/register", R"({"workerId":"w1"})", {{"Host", "evil.example"}})));
    CHECK(forbidden(handshake(daemon, {{"Host", "evil.example"}})));
    CHECK(http.get("/api/state", {{"Host", "localhost:" + port}}).status == 200);
    CHECK(http.get("/api/state", {{"Host", "127.0.0.1:" + port}}).status == 200);
    CHECK(http.get("/api/state", {{"Host", "LOCALHOST:" + port}}).status == 200);
    CHECK(http.get("/api/workers/w1").status == 404);
    CHECK(handshake(daemon, {{"Host", "localhost:" + std::to_string(daemon.ws_port())}}).status == 101);
}

SCENARIO("a foreign Origin is refused, over HTTP and WebSocket", "[access]")
{
    DaemonProcess daemon;
    const auto port = std::to_string(daemon.http_port());
    HttpPeer http(daemon.http_port());
    for (const auto* origin : {"http://evil.example", "https://localhost.evil.example", "null"}) {
        INFO(origin);
        CHECK(forbidden(http.get("/api/state", {{"Origin", origin}})));
        CHECK(forbidden(http.post("/api/workers/register", R"({"workerId":"w1"})", {{"Origin", origin}})));
        CHECK(forbidden(handshake(daemon, {{"Origin", origin}})));
    }
    CHECK(http.get("/api/workers/w1").status == 404);
    for (const auto* host : {"http://localhost:", "http://127.0.0.1:"}) {
        CHECK(http.get("/api/state", {{"Origin", host + port}}).status == 200);
        CHECK(handshake(daemon, {{"Origin", host + port}}).status ==
              101); // the dashboard's page, on the other port
    }
}

SCENARIO("--allow-origin adds an origin", "[access]")
{
    DaemonProcess daemon({"--allow-origin", "https://dash.example"});
    HttpPeer http(daemon.http_port());
    CHECK(http.get("/api/state", {{"Origin", "https://dash.example"}}).status == 200);
    CHECK(handshake(daemon, {{"Origin", "https://dash.example"}}).status == 101);
    CHECK(forbidden(http.get("/api/state", {{"Origin", "http://dash.example"}})));
    CHECK(forbidden(http.get("/api/state", {{"Origin", "https://dash.example.evil"}})));
    CHECK(forbidden(handshake(daemon, {{"Origin", "https://other.example"}})));
}

SCENARIO("with a token, calls without it are refused", "[access]")
{
    const TempDir folder;
    write_file(folder.file("token"), "s3cret-token\n"); // as an editor leaves it
    DaemonProcess daemon({"--token-file", folder.file("token")});
    HttpPeer http(daemon.http_port());
    CHECK(outcome(http.get("/api/state")).starts_with("401 "));
    CHECK(outcome(http.post("/api/workers/register", R"({"workerId":"w1"})")).starts_with("401 "));
    for (const auto* wrong : {"Bearer wrong", "Bearer s3cret-token2", "Bearer s3cret-toke", "Bearer ",
                              "s3cret-token", "Basic s3cret-token"}) {
        INFO(wrong);
        const auto status = http.get("/api/state", {{"Authorization", wrong}}).status;
        CHECK((status == 401 || status == 403));
        CHECK(outcome(handshake(daemon, {{"Authorization", wrong}})).starts_with("40"));
    }
    CHECK(outcome(handshake(daemon, {})).starts_with("401 "));

    const Headers token{{"Authorization", "Bearer s3cret-token"}};
    CHECK(http.get("/api/state", token).status == 200);
    CHECK(http.get("/api/workers/w1", token).status == 404);
    WsPeer peer(daemon.ws_port(), token);
    peer.send(R"({"type":"register","workerId":"w1"})");
    peer.expect("registered");
}

SCENARIO("another address is bound only with a token or --insecure", "[access]")
{
    const TempDir folder;
    write_file(folder.file("token"), "s3cret");
    WHEN("neither is given")
    {
        const auto ended = DaemonProcess::run({"--host", "0.0.0.0", "--port", "0", "--ws-port", "0"});
        CHECK(ended.status == 2);
        CHECK_THAT(ended.err, Catch::Contains("host"));
        CHECK(occurrences(ended.err, "\n") == 1);
    }
    WHEN("--insecure is given")
    {
        DaemonProcess daemon({"--host", "0.0.0.0", "--insecure"});
        CHECK(Api(daemon).get("/health").status == 200);
    }
    WHEN("a token is given")
    {
        DaemonProcess daemon({"--host", "0.0.0.0", "--token-file", folder.file("token")});
        CHECK(HttpPeer(daemon.http_port()).get("/api/state", {{"Authorization", "Bearer s3cret"}}).status ==
              200);
        CHECK(HttpPeer(daemon.http_port()).get("/api/state").status == 401);
    }
}
