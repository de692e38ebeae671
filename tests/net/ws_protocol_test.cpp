#include "net/ws/frame.hpp"
#include "net/ws/protocol.hpp"

#include <catch2/catch.hpp>

namespace coordination::ws {
namespace {

constexpr wire::Bounds bounds{.id_bytes_max = 256, .json_depth_max = 16};

tl::expected<Message, std::string> read(std::string_view text, std::string_view own_worker = {})
{
    return read_message(text, bounds, own_worker).map_error([](const Refusal& refusal) {
        return refusal.text;
    });
}

} // namespace

TEST_CASE("a frame's header tells its length in the shortest form", "[ws]")
{
    char buffer[10];
    const auto header = [&](std::size_t bytes) {
        return std::string(frame_header(text_frame, bytes, buffer));
    };
    CHECK(header(0) == std::string("\x81\x00", 2));
    CHECK(header(125) == "\x81\x7d");
    CHECK(header(126) == std::string("\x81\x7e\x00\x7e", 4));
    CHECK(header(65535) == "\x81\x7e\xff\xff");
    CHECK(header(65536) == std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
    CHECK(std::string(frame_header(ping_frame, 0, buffer)) == std::string("\x89\x00", 2));
}

TEST_CASE("a heartbeat that names no worker means the one that speaks here", "[ws]")
{
    const auto message = read(R"({"type":"heartbeat"})", "w1").value();
    CHECK(std::get<Heartbeat>(std::get<Command>(message.action)).id.view() == "w1");
    CHECK(read(R"({"type":"heartbeat"})").error() ==
          R"({"type":"error","message":"workerId is required","code":"MISSING_FIELD"})");
}

TEST_CASE("a subscription may ask for values, and for what came after a revision", "[ws]")
{
    const auto message = read(R"({"type":"subscribe","topics":["*"],"values":true,"since":0})").value();
    const auto& watch = std::get<Watch>(message.action);
    CHECK(watch.subscription.values);
    CHECK(watch.since == 0U);
    CHECK_FALSE(read(R"({"type":"subscribe","topics":["*"],"since":-1})"));
    CHECK_FALSE(read(R"({"type":"subscribe","topics":["*"],"values":1})"));
    CHECK_FALSE(read(R"({"type":"subscribe"})"));
}

TEST_CASE("a refusal answers with the requestId as it was written, or names what it was about", "[ws]")
{
    CHECK(
        read(R"({"type":"complete","requestId":"a\u0062","taskId":5})").error() ==
        R"({"type":"response","requestId":"a\u0062","success":false,"error":"taskId must be a string","code":"INVALID_FIELD"})");
    CHECK(
        read(R"({"type":"task_update","taskId":"t1","status":"odd"})", "w1").error() ==
        R"({"type":"error","message":"status must be in_progress, completed, failed or cancelled","code":"INVALID_FIELD","taskId":"t1"})");
    CHECK(read(R"({"type":"assign","requestId":{},"taskId":"t1"})").error().find("requestId must be") !=
          std::string::npos);
}

TEST_CASE("a type that is none of the protocol's is INVALID_FIELD", "[ws]")
{
    for (const auto* text : {R"({"type":"unregister","workerId":"w"})", R"({"type":""})", R"({"type":7})"}) {
        INFO(text);
        CHECK(read(text).error().find(R"("code":"INVALID_FIELD")") != std::string::npos);
    }
    CHECK(read("{}").error().find("type is required") != std::string::npos);
    CHECK(read("nonsense").error().find("INVALID_JSON") != std::string::npos);
}

TEST_CASE("a socket that is no worker's reports on no task", "[ws]")
{
    CHECK(
        read(R"({"type":"task_update","taskId":"t1","status":"completed"})").error().find("STALE_ATTEMPT") !=
        std::string::npos);
    CHECK(read(R"({"type":"task_update","taskId":"t1","status":"completed"})", "w1"));
}

} // namespace coordination::ws
