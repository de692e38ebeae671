#pragma once

#include "persist/disk.hpp"

#include <memory>
#include <string>

namespace coordination {

/// One state has one daemon: held from before it is read until after it was last written. The kernel releases
/// it with the process, however that ends, so a lock file that is left over locks nobody out; it is never
/// removed, since another daemon may have opened it already.
class DirectoryLock {
public:
    /// Locks the state at `path` through `<path>.lock`, which tells the holder's process id. The error is one
    /// line that says what to do.
    static tl::expected<DirectoryLock, std::string> take(Disk& disk, const std::string& path);

private:
    explicit DirectoryLock(std::unique_ptr<File> file) noexcept : file_(std::move(file)) {}

    std::unique_ptr<File> file_;
};

} // namespace coordination
