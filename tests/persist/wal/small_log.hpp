#pragma once

#include "persist/wal/opened.hpp"

namespace coordination::testing {

/// A log that was closed, each record synced before the next was written.
struct SmallLog {
    explicit SmallLog(std::uint64_t seed, int calls, std::uint64_t segment_bytes = 1024) : rig(seed)
    {
        auto options = small_log();
        options.segment_bytes = segment_bytes;
        Opened log(disk, options);
        for (int call = 0; call < calls; ++call)
            REQUIRE(rig.step_and_wait(*log.journal, log.moves));
        REQUIRE(log.journal->close());
        segments = segments_on(disk);
    }

    /// The disk with another text in one of the segments.
    std::unique_ptr<FaultyDisk> with(const std::string& path, std::string text) const
    {
        auto other = disk.after_kill();
        other->put(path, std::move(text));
        return other;
    }

    Rig rig;
    FaultyDisk disk;
    std::vector<std::string> segments;
};

} // namespace coordination::testing
