#pragma once

#include "core/error.hpp"
#include "net/coordinator.hpp"
#include "net/http/access.hpp"
#include "net/options.hpp"
#include "net/wire/fields.hpp"
#include "net/wire/replies.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace coordination {

/// How the daemon feels, for `GET /health`.
struct Health {
    std::string status;                           ///< healthy, starting, draining or degraded
    std::string reason;                           ///< where it is not healthy: why
    Revision synced = 0;                          ///< all changes up to here are on the disk; 0: none is
    std::chrono::milliseconds oldest_unsynced{0}; ///< how long the oldest change waits that is not
};

/// What the server asks of the daemon that it is a part of.
struct ServerHooks {
    std::function<Health()> health; ///< from any thread
    std::function<boost::asio::awaitable<tl::expected<void, Error>>()> snapshot;
};

/// What every connection works with. Outlives them all.
struct ServerContext {
    const DaemonOptions& options;
    Coordinator& coordinator;
    Metrics& metrics;
    const Clock& clock;
    ServerHooks hooks;
    std::optional<Access> access;             ///< once the ports are known
    std::atomic<std::size_t> state_reads = 0; ///< of the whole state, under way

    wire::Bounds bounds() const noexcept
    {
        return {options.id_bytes_max, options.json_depth_max, options.subscription_bytes_max};
    }
    wire::Rhythm rhythm() const noexcept { return {options.heartbeat_interval, options.heartbeat_timeout}; }
};

} // namespace coordination
