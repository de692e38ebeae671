#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

const std::string heartbeat = R"({"type":"heartbeat","workerId":"w1"})";

} // namespace

SCENARIO("what breaks the WebSocket protocol closes with the code for it", "[frames]")
{
    struct Case {
        std::string name;
        std::vector<Frame> frames;
        int code;
    };
    const std::string two_bytes_of_three = "\xe2\x82";
    const std::vector<Case> cases{
        {"an unmasked frame", {{Opcode::text, heartbeat, true, false}}, 1002},
        {"an unmasked ping", {{Opcode::ping, "", true, false}}, 1002},
        {"a reserved bit", {{Opcode::text, heartbeat, true, true, 4}}, 1002},
        {"another reserved bit", {{Opcode::text, heartbeat, true, true, 1}}, 1002},
        {"a reserved opcode", {{static_cast<Opcode>(3), "x"}}, 1002},
        {"a reserved control opcode", {{static_cast<Opcode>(11), "x"}}, 1002},
        {"a continuation of nothing", {{Opcode::continuation, "x"}}, 1002},
        {"a message within a message", {{Opcode::text, "{", false}, {Opcode::text, "}"}}, 1002},
        {"a ping in fragments", {{Opcode::ping, "x", false}}, 1002},
        {"a ping of 126 bytes", {{Opcode::ping, std::string(126, 'x')}}, 1002},
        {"a close of one byte", {{Opcode::close, "x"}}, 1002},
        {"a close code that may not be sent", {{Opcode::close, std::string("\x03\xed", 2)}}, 1002}, // 1005
        {"a close code of nobody", {{Opcode::close, std::string("\x00\x01", 2)}}, 1002},
        {"a binary message", {{Opcode::binary, heartbeat}}, 1003},
        {"invalid UTF-8", {{Opcode::text, "{\"type\":\"\xff\"}"}}, 1007},
        {"an overlong form", {{Opcode::text, "\"\xc0\xaf\""}}, 1007},
        {"a surrogate in UTF-8", {{Opcode::text, "\"\xed\xa0\x80\""}}, 1007},
        {"a character cut off", {{Opcode::text, two_bytes_of_three}}, 1007},
        {"invalid UTF-8 over two frames",
         {{Opcode::text, two_bytes_of_three, false}, {Opcode::continuation, "x"}},
         1007},
    };
    DaemonProcess daemon;
    for (const auto& [name, frames, code] : cases) {
        INFO(name);
        Worker worker(daemon, "w1");
        for (const auto& frame : frames)
            worker.send(frame);
        CHECK(worker.close_code() == code);
    }
    CHECK(Api(daemon).get("/health")["status"] == "healthy");
}

SCENARIO("a message over the limit closes with 1009", "[frames]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    WHEN("its frame announces it")
    {
        worker.send_bytes(std::string("\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00MASK", 14)); // 1 TiB
        CHECK(worker.close_code() == 1009);
    }
    WHEN("it grows by fragments")
    {
        const auto fragment = encoded({Opcode::continuation, std::string(0x10000, ' '), false});
        worker.send(Frame{Opcode::text, " ", false});
        int fragments = 0;
        while (fragments < 16384 && worker.connection().write_until_answered(fragment))
            ++fragments;
        CHECK(fragments < 16384);
        CHECK(worker.close_code() == 1009);
    }
    CHECK(Api(daemon).get("/health")["status"] == "healthy");
}

SCENARIO("a length that is not told in the shortest form closes with 1002", "[frames]")
{
    DaemonProcess daemon;
    const auto* frame = GENERATE("\x81\xfe\x00\x02MASK..", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x02MASK..",
                                 "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xffMASK");
    Worker worker(daemon, "w1");
    worker.send_bytes(std::string_view(frame, frame[1] == '\xfe' ? 10 : 14));
    CHECK(worker.close_code() == 1002);
}

SCENARIO("a length with the highest bit set is refused", "[frames]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    worker.send_bytes(std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffMASK", 14));
    const auto code = worker.close_code();
    CHECK((code == 1002 || code == 1009));
}

SCENARIO("a ping is answered with a pong of the same payload", "[frames]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    for (const auto& payload : {std::string(), std::string("hello"), std::string(125, '\xff')}) {
        worker.send(Frame{Opcode::ping, payload});
        const auto pong = worker.next_frame();
        CHECK(pong.opcode == Opcode::pong);
        CHECK(pong.payload == payload);
    }
    worker.send(Frame{Opcode::pong, "unasked"}); // is legal and means nothing
    worker.send(heartbeat);
    worker.expect("heartbeat_ack");
}

SCENARIO("a message may come in fragments, with a ping between them", "[frames]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    worker.send(Frame{Opcode::text, heartbeat.substr(0, 10), false});
    worker.send(Frame{Opcode::ping, "between"});
    CHECK(worker.next_frame().payload == "between");
    worker.send(Frame{Opcode::continuation, "", false});
    worker.send(Frame{Opcode::continuation, heartbeat.substr(10)});
    worker.expect("heartbeat_ack");
}

SCENARIO("a character may be cut by fragments", "[frames]")
{
    DaemonProcess daemon;
    WsPeer peer(daemon.ws_port());
    const std::string message = R"({"type":"register","workerId":"😀"})";
    const auto cut = message.find("\xf0") + 2;
    peer.send(Frame{Opcode::text, message.substr(0, cut), false});
    peer.send(Frame{Opcode::continuation, message.substr(cut)});
    CHECK(peer.expect("registered")["workerId"] == "😀");
}

SCENARIO("frames that arrive byte by byte, or many at once, are understood", "[frames]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    for (const char byte : encoded({Opcode::text, heartbeat}))
        worker.send_bytes(std::string_view(&byte, 1));
    worker.expect("heartbeat_ack");
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += encoded({Opcode::text, heartbeat});
    worker.send_bytes(many);
    for (int i = 0; i < 1000; ++i)
        worker.expect("heartbeat_ack");
}

SCENARIO("long messages of every length form go both ways", "[frames]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    for (const std::size_t size : {10UL, 125UL, 126UL, 1000UL, 65'535UL, 65'536UL, 200'000UL}) {
        const auto id = "t" + std::to_string(size);
        const auto reply = worker.call(R"({"type":"assign","taskId":")" + id + R"(","taskData":{"text":")" +
                                       std::string(size, 'x') + R"("}})");
        CHECK(text(reply.json, "task.text").size() == size);
        CHECK(text(worker.expect("task_assigned").json, "task.text").size() == size);
        worker.call(R"({"type":"task_update","status":"completed","taskId":")" + id + "\"}");
    }
}

SCENARIO("a close is answered with its own code", "[frames]")
{
    DaemonProcess daemon;
    CHECK(Worker(daemon, "w1").close(1000) == 1000);
    CHECK(Worker(daemon, "w1").close(1001) == 1001);
    CHECK(Worker(daemon, "w1").close(4000) == 4000);
    Worker worker(daemon, "w1");
    worker.send(Frame{Opcode::close, ""}); // without one
    const auto code = worker.close_code();
    CHECK((code == 1005 || code == 1000));
}

SCENARIO("a handshake that is none is refused as a failure", "[frames]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.ws_port());
    WHEN("the version is unknown")
    {
        const auto reply = http.request("GET", "/",
                                        {{"Upgrade", "websocket"},
                                         {"Connection", "Upgrade"},
                                         {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                         {"Sec-WebSocket-Version", "12"}});
        CHECK((reply.status == 426 || reply.status == 400));
        CHECK(reply.header("sec-websocket-version") == "13");
    }
    WHEN("the key is missing")
    {
        CHECK(outcome(
                  http.request(
                      "GET", "/",
                      {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}}))
                  .starts_with("4"));
    }
    WHEN("it is a POST")
    {
        const auto reply = http.request("POST", "/",
                                        {{"Upgrade", "websocket"},
                                         {"Connection", "Upgrade"},
                                         {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                         {"Sec-WebSocket-Version", "13"}});
        CHECK(outcome(reply).starts_with("4"));
    }
}

SCENARIO("no compression is agreed to, whatever the client offers", "[frames]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.ws_port());
    const auto reply =
        WsPeer::handshake(http, {{"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"}});
    CHECK(reply.status == 101);
    CHECK_FALSE(reply.header("sec-websocket-extensions"));
}
