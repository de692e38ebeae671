#include "persist/directory_lock.hpp"

#include <unistd.h>

#include <array>
#include <utility>

namespace coordination {
namespace {

/// What the holder wrote, if it is a number.
std::string holder_in(File& file)
{
    std::array<char, 32> text{};
    const auto size = file.read(text);
    std::string digits;
    for (std::size_t i = 0; size && i < *size && text[i] >= '0' && text[i] <= '9'; ++i)
        digits += text[i];
    return digits.empty() ? "" : " (process " + digits + ")";
}

tl::unexpected<std::string> refused(const DiskError& error)
{
    return tl::unexpected(error.text());
}

} // namespace

tl::expected<DirectoryLock, std::string> DirectoryLock::take(Disk& disk, const std::string& path)
{
    const auto made = disk.make_directories(directory_of(path));
    if (!made)
        return refused(made.error());
    auto file = disk.open(path + ".lock", OpenMode::append);
    if (!file)
        return refused(file.error());
    const auto locked = (*file)->try_lock();
    if (!locked)
        return refused(locked.error());
    if (!*locked)
        return tl::unexpected("another daemon" + holder_in(**file) + " uses " + path +
                              ": stop that one, or give this one another path");
    // A full disk keeps us from telling who we are, not from being the only one.
    if ((*file)->truncate(0))
        static_cast<void>((*file)->write(std::to_string(::getpid()) + "\n"));
    return DirectoryLock(std::move(*file));
}

} // namespace coordination
