#include "persist/disk.hpp"

#include <cerrno>
#include <system_error>

namespace coordination {
namespace {

std::string_view advice_for(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return "free some space on that file system";
    case EACCES:
    case EPERM:
        return "let this user read and write there, or name another path";
    case EROFS:
        return "mount it writable, or name another path";
    case EIO:
        return "the disk may be failing: see dmesg";
    case EMFILE:
    case ENFILE:
        return "raise the limit of open files (ulimit -n)";
    case EISDIR:
    case ENOTDIR:
    case ENOENT:
    case ENAMETOOLONG:
    case ELOOP:
        return "check the path";
    default:
        return "check the file system";
    }
}

} // namespace

std::string DiskError::text() const
{
    std::string line =
        "cannot " + operation + " " + path + ": " + std::generic_category().message(code) + ": ";
    return line.append(advice_for(code));
}

std::string directory_of(std::string_view path)
{
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos)
        return ".";
    return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

} // namespace coordination
