#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace coordination::testing;

namespace {

/// Bytes that are nothing, or something decent with a few bytes changed, so that it gets past the first
/// check.
class Garbage {
public:
    explicit Garbage(unsigned seed) : random_(seed) {}

    std::string bytes()
    {
        std::string all(below(300), '\0');
        for (auto& byte : all)
            byte = static_cast<char>(below(256));
        return all;
    }

    std::string mutated(std::string decent)
    {
        for (auto changes = 1 + below(4); changes > 0; --changes) {
            const auto at = below(decent.size());
            if (below(2))
                decent[at] = static_cast<char>(below(256));
            else
                decent.erase(at, 1 + below(8));
        }
        return decent;
    }

    std::size_t below(std::size_t end)
    {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    }

private:
    std::mt19937 random_;
};

} // namespace

SCENARIO("whatever bytes come in, the daemon lives on and its state is whole", "[garbage]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Garbage garbage(seed);
    DaemonProcess daemon;
    const std::string body =
        R"({"taskId":"t1","workerId":"w1","taskData":{"a":[1,{"b":"\u00e9"}],"priority":"high"}})";
    const auto request = "POST /api/tasks/assign HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         "application/json\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body;
    for (int i = 0; i < 300; ++i) {
        HttpPeer http(daemon.http_port());
        http.connection().write_until_answered(i % 4 ? garbage.mutated(request) : garbage.bytes());
        WsPeer peer(daemon.ws_port());
        const auto frame =
            encoded({Opcode::text, R"({"type":"assign","taskId":"t1","workerId":"w1","requestId":"r"})"});
        peer.connection().write_until_answered(encoded({Opcode::text, garbage.mutated(body)}));
        peer.connection().write_until_answered(i % 4 ? garbage.mutated(frame) : garbage.bytes());
    }
    Api api(daemon);
    CHECK(api.get("/health")["status"] == "healthy");
    CHECK(field(api.register_worker("after"), "worker.status") == "idle");
    CHECK(field(api.assign("after"), "workerId") == "after");
}
