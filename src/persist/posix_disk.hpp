#pragma once

#include "persist/disk.hpp"

namespace coordination {

/// The machine's own file systems.
///
/// Threads  Any; one at a time for each file.
class PosixDisk final : public Disk {
public:
    DiskResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    DiskResult<bool> exists(const std::string& path) override;
    DiskResult<void> rename(const std::string& from, const std::string& to) override;
    DiskResult<void> remove(const std::string& path) override;
    DiskResult<std::vector<std::string>> list(const std::string& path) override;
    DiskResult<void> make_directories(const std::string& path) override;
    DiskResult<void> sync_directory(const std::string& path) override;
};

} // namespace coordination
