#pragma once

#include "net/run_by.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace coordination {

class Clock;

enum class Persistence { memory_only, periodic_snapshot, write_ahead_log };

/// How a daemon runs. Each default here is also the command line's.
///
/// Units    Bytes, unless the type says another.
/// Bounds   heartbeat_timeout > heartbeat_interval; those of each number stand in option_ranges.hpp. Daemon's
///          start() refuses what is beyond them, and so does the command line.
struct DaemonOptions {
    std::string host = "127.0.0.1";
    std::uint16_t http_port = 9500; ///< 0: a free one
    std::uint16_t ws_port = 9501;   ///< 0: a free one; the same as http_port: both on one
    bool listen = true;             ///< false: no ports at all, for a program that only calls in-process

    /// The seed calls memory-only "persistence disabled", names periodic-snapshot wherever it shows a value,
    /// and says of no flag that state is lost without it: so state is kept unless one asks for less.
    Persistence persistence = Persistence::periodic_snapshot;
    std::string snapshot_path = "./coordination/state-snapshot.json";
    std::chrono::milliseconds snapshot_interval{30'000};
    std::string wal_path = "./coordination/wal.log";
    std::chrono::milliseconds wal_sync_interval{1'000};

    std::chrono::milliseconds heartbeat_interval{5'000};
    std::chrono::milliseconds heartbeat_timeout{15'000};
    std::size_t tasks_max = 10'000'000; ///< that have not ended
    std::size_t workers_max = 100'000;  ///< registered, online or not
    std::size_t max_tasks_per_worker = 10;
    std::size_t crash_limit = 3;                   ///< leases a task may lose before it counts as failed
    std::chrono::milliseconds aging{60'000};       ///< waiting time that raises a task by one priority
    std::chrono::milliseconds cancel_grace{5'000}; ///< for a worker to stop a cancelled task
    std::chrono::milliseconds keep_ended_for{
        0};                                   ///< ended tasks are forgotten after it; 0: by the bounds alone
    std::size_t keep_ended_count = 1'000'000; ///< ended tasks kept; 0: any number
    std::size_t keep_ended_bytes = 1 << 30;   ///< what they may take; 0: anything
    std::vector<std::string> max_running; ///< `capability:NAME=N` or `field:NAME=N`: how many may run at once

    std::size_t max_queue_size = 100'000;             ///< messages that somebody has still to get
    std::size_t max_queue_bytes = 256 << 20;          ///< of these
    std::chrono::milliseconds ack_timeout{30'000};    ///< then a message is sent again
    std::chrono::milliseconds message_ttl{3'600'000}; ///< unless the publication says
    std::chrono::milliseconds dedup_window{600'000};  ///< how long the id of a delivered message is known
    std::size_t dedup_count = 100'000;                ///< ids that are known so
    std::size_t dead_letters_max = 1'000;             ///< dead letters kept
    std::chrono::milliseconds processing_interval{0}; ///< how long messages may be gathered before they go

    std::string token;                      ///< what a caller must bear; empty: no token is asked for
    bool insecure = false;                  ///< serve other machines without a token
    std::vector<std::string> allow_origins; ///< whose pages may call, beside our own

    std::size_t threads = 1; ///< that serve, where the daemon has its own
    RunBy run_by =
        RunBy::many_threads;      ///< a caller's io_context; right in any case, but slower than one_thread
    std::shared_ptr<Clock> clock; ///< for leases and all that is due; none: the system's

    std::size_t body_bytes_max = 8 << 20; ///< of one HTTP request
    std::size_t header_bytes_max = 16 << 10;
    std::size_t frame_bytes_max = 1 << 20; ///< of one WebSocket message
    std::size_t call_bytes_max = 4 << 20; ///< of one connection's WebSocket messages that await their answers
    std::size_t outbox_bytes_max = 8 << 20; ///< waiting for one slow peer; beyond it the peer is dropped
    std::size_t subscription_bytes_max = 4
                                         << 20; ///< changes waiting for one subscriber, unless it wants less
    std::size_t watch_bytes_max = 32 << 20;     ///< changes kept for `since`
    std::size_t connections_max = 10'000;
    std::size_t id_bytes_max = 256;
    std::size_t json_depth_max = 64;

    std::chrono::milliseconds handshake_timeout{10'000};
    std::chrono::milliseconds request_timeout{30'000}; ///< from a request's first byte to its last
    std::chrono::milliseconds http_idle_timeout{60'000};
    std::chrono::milliseconds ws_idle_timeout{60'000};
    std::chrono::milliseconds drain_timeout{5'000};
};

} // namespace coordination
