#pragma once

#include "core/limits.hpp"
#include "core/store/state_store.hpp"
#include "persist/disk.hpp"
#include "persist/snapshot/load.hpp"
#include "persist/wal/segment_format.hpp"
#include "persist/wal/segments.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coordination {

struct StatePaths {
    std::string snapshot;
    std::string log; ///< segments have its name and a number behind it
};

/// Why a state cannot be read.
struct StateFault {
    std::string line; ///< for people: the file, the place, what to do
    /// Where the log stops being good; none where the fault is not in the log, or not one that a cut mends.
    struct Place {
        std::size_t segment = 0; ///< index among the segments, in order
        std::size_t offset = 0;  ///< in that file; 0: nothing of it is good
    };
    std::optional<Place> cut_at;
};

struct SegmentOnDisk {
    SegmentName name;
    SegmentHeader header;
};

/// What was read.
struct ReadState {
    std::optional<LoadedSnapshot> snapshot;
    std::vector<SegmentOnDisk> segments;
    Revision revision = 0;       ///< of the latest change
    std::uint64_t log_bytes = 0; ///< of the records beyond the snapshot
    bool complete = false;       ///< certainly nobody was told of later revisions

    struct Tail {
        std::size_t offset = 0;
        std::size_t bytes = 0;
    };
    std::optional<Tail> torn; ///< what is to be cut off the last segment

    /// Records at the end of the last segment that may be in the kernel's memory alone.
    struct Unsynced {
        Revision behind = 0; ///< what is up to here is on the disk
        std::string records;
    };
    std::optional<Unsynced> unsynced;
};

/// Reads the newest snapshot and the log behind it into an empty store, whichever strategy has written them.
/// Changes nothing on the disk, but for a snapshot left half written, which is removed.
tl::expected<ReadState, StateFault> read_state(Disk& disk, const StatePaths& paths, const Limits& limits,
                                               StateStore& store);

/// The headers of the segments, in order, each fit to follow the one before it.
tl::expected<std::vector<SegmentOnDisk>, StateFault> read_headers(Disk& disk, const StatePaths& paths);

} // namespace coordination
