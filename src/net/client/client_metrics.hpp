#pragma once

#include <cstddef>
#include <cstdint>

namespace coordination {

/// What a client has done since it was made, and where it stands.
struct ClientMetrics {
    bool connected = false;
    bool ready = false; ///< connected and, where there is a worker, registered
    std::uint64_t connections = 0;
    std::uint64_t reconnects = 0; ///< of these, those that came back after a loss
    std::uint64_t messages_sent = 0;
    std::uint64_t messages_received = 0;
    std::uint64_t heartbeats_sent = 0;
    std::uint64_t heartbeats_acknowledged = 0;
    std::int64_t last_heartbeat_ack = 0; ///< ms since 1970, by the daemon's clock; 0: none yet
    std::uint64_t tasks_assigned = 0;    ///< attempts that a handler was called for
    std::uint64_t tasks_completed = 0;   ///< confirmed by the daemon, as are the next two
    std::uint64_t tasks_failed = 0;
    std::uint64_t tasks_cancelled = 0;
    std::uint64_t leases_lost = 0;
    std::size_t tasks_held = 0;
    std::size_t calls_waiting = 0; ///< for a connection or their answer
    std::size_t calls_waiting_bytes = 0;
    std::uint64_t bus_messages = 0;           ///< of the bus, handled
    std::uint64_t bus_messages_duplicate = 0; ///< of the bus, delivered again after they were
    std::uint64_t bus_messages_refused = 0;   ///< of the bus, beyond `event_count_max` or `event_bytes_max`
    std::size_t events_waiting = 0;           ///< for their handlers: changes, messages and all others
    std::uint64_t events_dropped = 0;         ///< that were never told, since too many waited
    std::uint64_t watch_pauses = 0;           ///< times that changes were put off, since too many waited
};

} // namespace coordination
