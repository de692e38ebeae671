#pragma once

#include "persist/journal.hpp"
#include "persist/wal/read_state.hpp"

namespace coordination {

struct RecoveredState {
    Recovery recovery;
    std::vector<SegmentOnDisk> segments; ///< of the log, all of whose records the store holds now
    std::uint64_t log_bytes = 0;         ///< of the records beyond the snapshot
};

/// Reads what an earlier process has left, whichever strategy it used, into an empty store, and clears away
/// what that left unfinished: a torn record at the end of the log, files that never got their name. What it
/// may not have synced is on the disk afterwards. For whoever holds the place.
tl::expected<RecoveredState, std::string> recover_state(Disk& disk, const StatePaths& paths,
                                                        const Limits& limits, StateStore& store);

} // namespace coordination
