#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "net/client/call_error.hpp"
#include "net/client/connect.hpp"

namespace coordination {

/// How a CoordinationClient behaves. Sizes are bytes. The first eight have the seed's names and defaults.
struct CoordinationClientOptions {
    std::string worker_id = {}; ///< empty: not a worker; it still subscribes, publishes and calls over HTTP
    std::vector<std::string> capabilities = {};
    std::string ws_url = "ws://localhost:9501";
    std::string http_url = "http://localhost:9500";
    bool reconnect = true;
    /// The first wait before a new connection is anything from 0 to this, so that a fleet whose daemon was
    /// restarted comes back spread over it. The bound doubles up to `reconnect_interval_max`, but never
    /// beyond a third of the heartbeat timeout while a task is held, so that its lease does not run out
    /// meanwhile.
    std::chrono::milliseconds reconnect_interval{5'000};
    std::chrono::milliseconds heartbeat_interval{5'000}; ///< or what the daemon wants, where that is shorter
    boost::json::object metadata = {};

    std::string token = {}; ///< sent as `Authorization: Bearer` unless empty
    std::chrono::milliseconds reconnect_interval_max{30'000};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds reply_timeout{30'000}; ///< of HTTP calls
    std::chrono::milliseconds silence_timeout{
        10'000}; ///< of the WebSocket; it is asked with a ping at half of it
    std::chrono::milliseconds close_timeout{1'000}; ///< each for what is unconfirmed and for the close itself
    std::size_t unsent_count_max = 10'000;          ///< calls that wait for a connection or their answer
    std::size_t unsent_bytes_max = 8U << 20U;       ///< of these calls
    std::size_t message_bytes_max = 1U << 20U;      ///< of one that is sent: the daemon's bound by default
    std::size_t frame_bytes_max = 16U << 20U;       ///< of one that is received
    std::size_t ended_count_max = 1'000;            ///< attempts that are remembered after they ended, ...
    std::size_t ended_bytes_max = 8U << 20U;        ///< ... with results of so many bytes
    std::size_t message_ids_max = 10'000;           ///< remembered, so that no message is handled twice
    /// Of what waits for its handler, where that is slower than it comes. Each counts for itself: changes of
    /// the state, messages of the bus, and all other events together (tasks are bounded by the daemon). Beyond:
    ///   changes  are put off: none is taken in before half of the room is free again, then they go on where
    ///            they stopped, each once, in order, as after a reconnect. Without a subscribe() that could go
    ///            on they are dropped, as are ...
    ///   events   of any other kind; `error` then says how many;
    ///   messages are not acknowledged, so that the bus delivers them again later, or gives them up by its
    ///            rules; at-most-once ones are lost.
    std::size_t event_count_max = 10'000;
    std::size_t event_bytes_max = 64U << 20U; ///< likewise; as they came over the wire
};

namespace net_client {

struct ClientTargets {
    ClientOptions ws;
    ClientOptions http;
};

/// What the options come to; the error says which of them cannot be.
tl::expected<ClientTargets, CallError> targets_of(const CoordinationClientOptions& options);

} // namespace net_client

} // namespace coordination
