#include "torture/follower.hpp"

#include <stdexcept>
#include <utility>

namespace coordination::torture {

Follower::Follower(std::uint16_t ws_port) : peer_(ws_port)
{
    const auto answer = peer_.call(R"({"type":"subscribe","topics":["*"],"values":true})");
    if (answer["success"] != testing::Json(true))
        throw std::runtime_error("subscribe: " + answer.raw);
    thread_ = std::thread([this] { read(); });
}

Follower::~Follower()
{
    if (thread_.joinable())
        thread_.join();
}

std::vector<testing::Json> Follower::changes()
{
    thread_.join();
    return std::move(changes_);
}

void Follower::read()
{
    try {
        for (;;) {
            const auto message = peer_.next();
            if (message.type() == "state_change")
                changes_.push_back(message["change"]);
        }
    } catch (const std::runtime_error&) {
        // The daemon is gone. A connection that ends for another reason shows as clients that lose theirs
        // too.
    }
}

} // namespace coordination::torture
