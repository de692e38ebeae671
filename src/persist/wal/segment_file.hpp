#pragma once

#include "persist/disk.hpp"
#include "persist/wal/segment_format.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace coordination {

/// A segment that is being written.
///
/// Threads  One at a time; its calls block.
class SegmentFile {
public:
    struct Failure {
        DiskError error;
        /// Whether a segment of that name may be found after a crash, although this one was given up.
        bool may_be_there = false;
    };

    /// Makes the segment that follows: its header and `records`, sealed ones that it begins with, are on the
    /// disk before it gets its name, and that too. Space for `reserve` bytes is set aside first, or it is not
    /// made at all.
    static tl::expected<SegmentFile, Failure> create(Disk& disk, const std::string& log_path,
                                                     const SegmentHeader& header, std::string_view records,
                                                     std::uint64_t reserve);

    DiskResult<void> write(std::string_view records);
    DiskResult<void> sync() { return file_->sync(); }
    /// Sets space aside up to this size, where it is not yet.
    DiskResult<void> reserve(std::uint64_t size);
    /// Gives space back that was set aside, and takes off what was written beyond `size`. No more than a
    /// kindness: what cannot be done is left.
    void trim(std::uint64_t size);

    const std::string& path() const noexcept { return path_; }
    std::uint64_t size() const noexcept { return size_; }
    std::uint64_t reserved() const noexcept { return reserved_; }
    /// Whether it holds records.
    bool used() const noexcept { return size_ > segment_format::header_bytes; }

private:
    SegmentFile(std::unique_ptr<File> file, std::string path, std::uint64_t size,
                std::uint64_t reserved) noexcept;

    std::unique_ptr<File> file_;
    std::string path_;
    std::uint64_t size_;
    std::uint64_t reserved_;
};

} // namespace coordination
