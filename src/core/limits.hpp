#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coordination {

/// How many tasks of a kind may be held at once.
struct RunningLimit {
    std::string capability; ///< of tasks that ask for it; empty: of those whose `field` has one value
    std::string field;      ///< a member of the task's data: each of its values has the limit for itself
    std::uint32_t most = 1;
};

/// From `capability:NAME=N` or `field:NAME=N`; none where it is neither.
std::optional<RunningLimit> running_limit_in(std::string_view text);

/// The bounds of the message bus.
struct BusLimits {
    std::size_t queue_messages_max = 100'000;              ///< messages that somebody has still to get
    std::size_t queue_bytes_max = std::size_t{256} << 20U; ///< of these
    std::chrono::milliseconds ack_timeout{30'000};         ///< then it is sent again; twice as long each time
    std::chrono::milliseconds message_ttl{3'600'000};      ///< unless the call says
    std::chrono::milliseconds dedup_window{600'000};       ///< how long an id is known when all have it
    std::size_t dedup_count = 100'000;                     ///< ids that are known so; the oldest go
    std::size_t dead_letters_max = 1'000;                  ///< the oldest go
    std::size_t in_flight_max = 256;                       ///< sent to one receiver and not acknowledged
    std::chrono::milliseconds processing_interval{0}; ///< how long messages may be gathered before they go
};

/// The numbers that the rules depend on. Fixed for the life of an engine.
struct Limits {
    std::size_t tasks_max = 10'000'000; ///< that have not ended
    std::size_t workers_max = 100'000;
    std::uint32_t tasks_per_worker_max = 10;            ///< the seed's `maxTasksPerWorker`
    std::chrono::milliseconds heartbeat_timeout{15000}; ///< silence after which a worker's leases end
    std::uint32_t crash_limit = 3;          ///< leases lost after which a task is failed (contract, 3.4)
    std::chrono::milliseconds aging{60000}; ///< waiting time that raises a task by one priority level
    std::chrono::milliseconds cancel_grace{5000}; ///< what a holder is given to stop, unless the call says
    std::chrono::milliseconds keep_ended_for{0};  ///< ended tasks go after it; 0: by count and bytes alone
    std::size_t keep_ended_count = 1'000'000;     ///< the oldest ends beyond it go; 0: no bound
    std::size_t keep_ended_bytes = std::size_t{1} << 30U; ///< of their payloads and outcomes; 0: no bound
    std::vector<RunningLimit> running_limits;
    BusLimits bus;
};

} // namespace coordination
