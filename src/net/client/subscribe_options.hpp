#pragma once

#include <cstdint>
#include <optional>

namespace coordination {

/// From where, and how, changes of the state are followed.
struct SubscribeOptions {
    std::optional<std::int64_t> since = std::nullopt; ///< replay what came after this revision first
    bool values = false;                              ///< each change carries its whole value
    /// What becomes of a client that reads too slowly: else it is cut off, and goes on after a reconnect.
    bool coalesce = false;
    std::optional<std::uint64_t> budget =
        std::nullopt; ///< bytes that may wait for it; none: the daemon's default
};

} // namespace coordination
