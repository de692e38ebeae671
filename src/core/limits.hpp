#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace coordination {

/// The numbers that the rules depend on. Fixed for the life of an engine.
struct Limits {
    std::uint32_t tasks_per_worker_max = 10;            ///< the seed's `maxTasksPerWorker`
    std::chrono::milliseconds heartbeat_timeout{15000}; ///< silence after which a worker's leases end
    std::uint32_t crash_limit = 3;          ///< leases lost after which a task is failed (contract, 3.4)
    std::chrono::milliseconds aging{60000}; ///< waiting time that raises a task by one priority level
};

} // namespace coordination
