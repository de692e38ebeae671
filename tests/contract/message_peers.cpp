#include "contract/message_peers.hpp"

#include "support/deadline.hpp"

#include <catch2/catch.hpp>

namespace coordination::testing {

Listener::Listener(const DaemonProcess& daemon, const std::string& topics) : WsPeer(daemon.ws_port())
{
    CHECK(call(R"({"type":"subscribe_messages","topics":)" + topics + "}")["success"] == Json(true));
}

void ack(WsPeer& peer, const Message& message)
{
    const auto acked = peer.call(R"({"type":"ack","messageId":")" + text(message.json, "messageId") + "\"}");
    CHECK(acked["success"] == Json(true));
}

Json bus(Api& api)
{
    return field(api.get("/api/metrics").json(), "messageBus");
}

void await_figure(Api& api, const std::string& figure, std::int64_t value)
{
    const Deadline deadline;
    while (integer(bus(api), figure) != value)
        if (deadline.passed())
            FAIL(figure << " does not become " << value << ": " << bus(api));
}

void check_nothing_came(WsPeer& peer)
{
    peer.send(R"({"type":"get_task","taskId":"none","requestId":"nothing before this"})");
    CHECK(peer.next()["requestId"] == "nothing before this");
}

} // namespace coordination::testing
