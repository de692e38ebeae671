#include "persist/posix_disk.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace coordination {
namespace {

tl::unexpected<DiskError> failed(std::string_view operation, std::string_view path)
{
    return tl::unexpected(DiskError{std::string(operation), std::string(path), errno});
}

/// Asks again where a signal interrupted the call.
template <class Call>
auto uninterrupted(Call call)
{
    auto result = call();
    while (result == -1 && errno == EINTR)
        result = call();
    return result;
}

class PosixFile final : public File {
public:
    PosixFile(int descriptor, std::string path) noexcept : descriptor_(descriptor), path_(std::move(path)) {}
    ~PosixFile() override
    {
        ::close(descriptor_); // what matters was synced, and that call told of a failure
    }

    DiskResult<void> write(std::string_view bytes) override
    {
        while (!bytes.empty()) {
            const auto written =
                uninterrupted([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
            if (written == -1)
                return failed("write", path_);
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return {};
    }

    DiskResult<void> sync() override
    {
        if (::fdatasync(descriptor_) == -1)
            return failed("sync", path_);
        return {};
    }

    DiskResult<std::size_t> read(std::span<char> into) override
    {
        const auto got = uninterrupted([&] { return ::read(descriptor_, into.data(), into.size()); });
        if (got == -1)
            return failed("read", path_);
        return static_cast<std::size_t>(got);
    }

    DiskResult<void> truncate(std::uint64_t size) override
    {
        if (uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) == -1)
            return failed("truncate", path_);
        return {};
    }

    DiskResult<void> reserve(std::uint64_t size) override
    {
        const auto reserved = uninterrupted(
            [&] { return ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)); });
        if (reserved == -1 && errno != EOPNOTSUPP && errno != ENOSYS)
            return failed("reserve space for", path_);
        return {};
    }

    DiskResult<bool> try_lock() override
    {
        if (uninterrupted([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0)
            return true;
        if (errno == EWOULDBLOCK)
            return false;
        return failed("lock", path_);
    }

private:
    int descriptor_;
    std::string path_;
};

int flags_of(OpenMode mode)
{
    switch (mode) {
    case OpenMode::read:
        return O_RDONLY;
    case OpenMode::create:
        return O_WRONLY | O_CREAT | O_TRUNC;
    case OpenMode::append:
        return O_RDWR | O_CREAT | O_APPEND;
    }
    __builtin_unreachable();
}

} // namespace

DiskResult<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode)
{
    constexpr mode_t permissions = 0644;
    const int flags = flags_of(mode) | O_CLOEXEC;
    const int descriptor = uninterrupted([&] { return ::open(path.c_str(), flags, permissions); });
    if (descriptor == -1)
        return failed("open", path);
    return std::make_unique<PosixFile>(descriptor, path);
}

DiskResult<bool> PosixDisk::exists(const std::string& path)
{
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return failed("look for", path);
}

DiskResult<void> PosixDisk::rename(const std::string& from, const std::string& to)
{
    if (std::rename(from.c_str(), to.c_str()) == -1)
        return failed("rename a file to", to);
    return {};
}

DiskResult<void> PosixDisk::remove(const std::string& path)
{
    if (::unlink(path.c_str()) == -1 && errno != ENOENT)
        return failed("remove", path);
    return {};
}

DiskResult<std::vector<std::string>> PosixDisk::list(const std::string& path)
{
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(path, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        names.push_back(entry->path().filename().string());
    if (error && error != std::errc::no_such_file_or_directory)
        return tl::unexpected(DiskError{"list the directory", path, error.value()});
    return names;
}

DiskResult<void> PosixDisk::make_directories(const std::string& path)
{
    for (std::size_t end = 0; end != std::string::npos;) {
        end = path.find('/', end + 1);
        const auto directory = path.substr(0, end);
        if (::mkdir(directory.c_str(), 0755) == 0) {
            const auto synced = sync_directory(directory_of(directory));
            if (!synced)
                return synced;
        } else if (errno != EEXIST) {
            // One above it may be closed to us, or on a read-only mount, and yet be there.
            const int cause = errno;
            const auto there = exists(directory);
            if (!there || !*there)
                return tl::unexpected(DiskError{"make the directory", directory, cause});
        }
    }
    return {};
}

DiskResult<void> PosixDisk::sync_directory(const std::string& path)
{
    const int descriptor =
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor == -1)
        return failed("open the directory", path);
    const PosixFile directory(descriptor, path);
    if (::fsync(descriptor) == -1)
        return failed("sync the directory", path);
    return {};
}

} // namespace coordination
