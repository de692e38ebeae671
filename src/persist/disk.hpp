#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coordination {

/// What the disk refused.
struct DiskError {
    std::string operation; ///< a verb: "write", "sync", …
    std::string path;
    int code = 0; ///< errno

    /// One line: what failed, why, and what to do about it.
    std::string text() const;
};

template <class Value>
using DiskResult = tl::expected<Value, DiskError>;

/// An open file. Closed with the object, and a lock on it released.
class File {
public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    /// All of it, behind what was written before. After a failure nobody knows how much of it is there.
    virtual DiskResult<void> write(std::string_view bytes) = 0;
    /// What was written survives a loss of power once this has succeeded. After a failure nobody knows what
    /// is on the disk, and trying again proves nothing: the kernel may have dropped the pages.
    virtual DiskResult<void> sync() = 0;
    /// Up to `into.size()` bytes from where the last read ended; 0 at the end of the file.
    virtual DiskResult<std::size_t> read(std::span<char> into) = 0;
    virtual DiskResult<void> truncate(std::uint64_t size) = 0;
    /// Sets space aside for the first `size` bytes, without making the file longer, so that writing them does
    /// not fail for want of it. Where the file system cannot do that, it succeeds and does nothing.
    virtual DiskResult<void> reserve(std::uint64_t size) = 0;
    /// False where somebody else holds it, in this process or another.
    virtual DiskResult<bool> try_lock() = 0;
};

enum class OpenMode {
    read,
    create, ///< for writing, empty
    append, ///< for reading, and for writing behind what is there; made where it does not exist
};

/// The disk as the strategies of persistence need it, so that tests can let each call fail. Calls block: they
/// belong off the store's strand.
class Disk {
public:
    Disk() = default;
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    virtual ~Disk() = default;

    virtual DiskResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    virtual DiskResult<bool> exists(const std::string& path) = 0;
    virtual DiskResult<void> rename(const std::string& from, const std::string& to) = 0;
    /// Succeeds where there is no such file.
    virtual DiskResult<void> remove(const std::string& path) = 0;
    /// The names of what is in a directory, in no order; none where there is no such directory.
    virtual DiskResult<std::vector<std::string>> list(const std::string& path) = 0;
    /// With those above it; those that it made survive a loss of power.
    virtual DiskResult<void> make_directories(const std::string& path) = 0;
    /// Files created, renamed and removed in it stay so through a loss of power.
    virtual DiskResult<void> sync_directory(const std::string& path) = 0;
};

/// Where a file stands: `.` for a bare name.
std::string directory_of(std::string_view path);

} // namespace coordination
