#pragma once

#include "core/limits.hpp"
#include "persist/wal/read_state.hpp"

#include <chrono>
#include <cstdint>

namespace coordination {

struct WalOptions {
    StatePaths paths;
    Limits limits;
    std::chrono::milliseconds sync_interval{0}; ///< 0: synced before it counts as reached

    std::uint64_t snapshot_after = std::uint64_t{64} << 20; ///< bytes of log that are worth a snapshot
    std::uint64_t segment_bytes = std::uint64_t{64}
                                  << 20; ///< behind that many a segment is followed by the next
    std::uint64_t reserve_bytes = std::uint64_t{16} << 20; ///< set aside ahead of what is written
    std::chrono::milliseconds retry_after{1000}; ///< what the disk refused is tried again after that long
};

} // namespace coordination
