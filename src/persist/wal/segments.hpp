#pragma once

#include "persist/disk.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace coordination {

/// A segment of the log, by its name.
struct SegmentName {
    std::uint64_t sequence = 0;
    std::string path;
};

std::string segment_path(const std::string& log_path, std::uint64_t sequence);

/// The segments of the log at `log_path`, in order.
DiskResult<std::vector<SegmentName>> list_segments(Disk& disk, const std::string& log_path);

/// Removes segments that were begun when the process ended, and never got their name.
DiskResult<void> remove_unfinished_segments(Disk& disk, const std::string& log_path);

DiskResult<std::string> read_file(Disk& disk, const std::string& path);

} // namespace coordination
