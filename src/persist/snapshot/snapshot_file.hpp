#pragma once

#include "persist/disk.hpp"
#include "persist/snapshot/checksum.hpp"

#include <memory>
#include <string>

namespace coordination {

/// A snapshot on its way to the disk. Written aside, checked and synced before it takes the old one's place,
/// so that at any moment, loss of power included, the path holds the old snapshot or the new one, whole.
///
/// Errors   After the first one, drop it: what was written aside is removed with it, and the old snapshot
///          stays (or the new one has taken its place, where only the last sync of the directory failed).
/// Threads  One at a time; its calls block.
class SnapshotFile {
public:
    SnapshotFile(Disk& disk, std::string path);
    ~SnapshotFile();
    SnapshotFile(const SnapshotFile&) = delete;
    SnapshotFile& operator=(const SnapshotFile&) = delete;

    /// The next piece of a SnapshotWriter's text.
    DiskResult<void> write(std::string_view text);
    /// The text is complete: makes it the snapshot.
    DiskResult<void> commit();

private:
    DiskResult<void> open();

    Disk& disk_;
    std::string path_;
    std::string aside_;
    std::unique_ptr<File> file_; ///< none before the first write and after commit()
    Checksum checksum_;
};

/// Where a snapshot is written before it takes its place. One left over from a crash is worth nothing.
std::string aside_of(const std::string& path);

} // namespace coordination
