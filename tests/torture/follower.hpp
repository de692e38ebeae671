#pragma once

#include "support/ws_peer.hpp"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace coordination::torture {

/// Follows all changes, values included, until the daemon is gone: what it was told before the kill is still
/// in the kernel's buffers, and is read to the end.
class Follower {
public:
    explicit Follower(std::uint16_t ws_port);
    ~Follower();

    /// Waits for the end of the connection. The `change` of each message, in order.
    std::vector<testing::Json> changes();

private:
    void read();

    testing::WsPeer peer_;
    std::vector<testing::Json> changes_;
    std::thread thread_; ///< last: it uses the others
};

} // namespace coordination::torture
