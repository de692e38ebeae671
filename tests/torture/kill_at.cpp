// Preloaded into the daemon: at the Nth call that changes a file below KILL_AT_DIR it kills the process, or
// lets the call fail. No sanitizer, no allocation, no lock: it runs inside somebody else's calls.
//
//   KILL_AT_DIR    the folder whose files count
//   KILL_AT_CALL   N, from 1
//   KILL_AT_SPAN   how many calls from there on fail (default 1)
//   KILL_AT_MODE   before, after, torn (half of a write, then dead), eio, enospc, short (half of a write, then
//                  ENOSPC)
//   KILL_AT_MARK   a file that is written when the point is reached: the name of the call

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

enum class Mode { off, before, after, torn, eio, enospc, cut_short };

struct Settings {
    std::string_view dir;
    long call = 0;
    long span = 1;
    Mode mode = Mode::off;
    const char* mark = nullptr;
};

std::string_view setting(const char* name)
{
    const char* value = std::getenv(name);
    return value ? value : "";
}

Mode mode_named(std::string_view name)
{
    if (name == "before")
        return Mode::before;
    if (name == "after")
        return Mode::after;
    if (name == "torn")
        return Mode::torn;
    if (name == "eio")
        return Mode::eio;
    if (name == "enospc")
        return Mode::enospc;
    return name == "short" ? Mode::cut_short : Mode::off;
}

const Settings& settings()
{
    static const Settings read = [] {
        Settings s;
        s.dir = setting("KILL_AT_DIR");
        s.call = std::atol(setting("KILL_AT_CALL").data());
        if (const auto span = setting("KILL_AT_SPAN"); !span.empty())
            s.span = std::atol(span.data());
        s.mode = s.dir.empty() ? Mode::off : mode_named(setting("KILL_AT_MODE"));
        s.mark = std::getenv("KILL_AT_MARK");
        return s;
    }();
    return read;
}

std::array<std::atomic<bool>, 4096> watched; ///< descriptors of files that count
std::atomic<long> calls = 0;

bool is_watched(int descriptor)
{
    return descriptor >= 0 && static_cast<std::size_t>(descriptor) < watched.size() &&
           watched[static_cast<std::size_t>(descriptor)];
}

bool is_ours(const char* path)
{
    return settings().mode != Mode::off && std::string_view(path).starts_with(settings().dir);
}

[[noreturn]] void die()
{
    ::kill(::getpid(), SIGKILL);
    for (;;)
        ::pause();
}

void mark(std::string_view call)
{
    if (!settings().mark)
        return;
    const auto file = static_cast<int>(
        ::syscall(SYS_openat, AT_FDCWD, settings().mark, O_CREAT | O_WRONLY | O_TRUNC, 0600));
    ::syscall(SYS_write, file, call.data(), call.size());
    ::syscall(SYS_close, file);
}

template <class Function>
Function next_of(const char* name)
{
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// Makes the call, or does to it what was asked for. `half` is what is done of it where it ends in the
/// middle.
template <class Call, class Half>
auto at_point(const char* name, Call call, Half half) -> decltype(call())
{
    using Result = decltype(call());
    const auto& s = settings();
    const long number = ++calls;
    if (number < s.call || number >= s.call + s.span)
        return call();
    if (number == s.call)
        mark(name);
    switch (s.mode) {
    case Mode::off:
        break;
    case Mode::before:
        die();
    case Mode::after:
        call();
        die();
    case Mode::torn:
        half();
        die();
    case Mode::eio:
        errno = EIO;
        return Result(-1);
    case Mode::enospc:
        errno = ENOSPC;
        return Result(-1);
    case Mode::cut_short:
        half();
        errno = ENOSPC;
        return Result(-1);
    }
    return call();
}

template <class Call>
auto at_point(const char* name, Call call)
{
    return at_point(name, call, [] {});
}

} // namespace

extern "C" {

int open(const char* path, int flags, ...)
{
    std::va_list rest;
    va_start(rest, flags);
    const auto permissions = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(rest, int) : 0);
    va_end(rest);
    static const auto real = next_of<int (*)(const char*, int, ...)>("open");
    if (!is_ours(path) || (flags & O_ACCMODE) == O_RDONLY) {
        const int descriptor = real(path, flags, permissions);
        // A directory is opened for reading and synced.
        if (descriptor >= 0 && static_cast<std::size_t>(descriptor) < watched.size())
            watched[static_cast<std::size_t>(descriptor)] = is_ours(path);
        return descriptor;
    }
    const int descriptor = at_point("open", [&] { return real(path, flags, permissions); });
    if (descriptor >= 0 && static_cast<std::size_t>(descriptor) < watched.size())
        watched[static_cast<std::size_t>(descriptor)] = true;
    return descriptor;
}

int close(int descriptor)
{
    static const auto real = next_of<int (*)(int)>("close");
    if (is_watched(descriptor))
        watched[static_cast<std::size_t>(descriptor)] = false;
    return real(descriptor);
}

ssize_t write(int descriptor, const void* bytes, std::size_t count)
{
    static const auto real = next_of<ssize_t (*)(int, const void*, std::size_t)>("write");
    const auto call = [&] { return real(descriptor, bytes, count); };
    const auto half = [&] { return real(descriptor, bytes, count / 2); };
    return is_watched(descriptor) ? at_point("write", call, half) : call();
}

int fdatasync(int descriptor)
{
    static const auto real = next_of<int (*)(int)>("fdatasync");
    const auto call = [&] { return real(descriptor); };
    return is_watched(descriptor) ? at_point("fdatasync", call) : call();
}

int fsync(int descriptor)
{
    static const auto real = next_of<int (*)(int)>("fsync");
    const auto call = [&] { return real(descriptor); };
    return is_watched(descriptor) ? at_point("fsync", call) : call();
}

int ftruncate(int descriptor, off_t size) noexcept
{
    static const auto real = next_of<int (*)(int, off_t)>("ftruncate");
    const auto call = [&] { return real(descriptor, size); };
    return is_watched(descriptor) ? at_point("ftruncate", call) : call();
}

int fallocate(int descriptor, int mode, off_t offset, off_t size)
{
    static const auto real = next_of<int (*)(int, int, off_t, off_t)>("fallocate");
    const auto call = [&] { return real(descriptor, mode, offset, size); };
    return is_watched(descriptor) ? at_point("fallocate", call) : call();
}

int rename(const char* from, const char* to) noexcept
{
    static const auto real = next_of<int (*)(const char*, const char*)>("rename");
    const auto call = [&] { return real(from, to); };
    return is_ours(to) ? at_point("rename", call) : call();
}

int unlink(const char* path) noexcept
{
    static const auto real = next_of<int (*)(const char*)>("unlink");
    const auto call = [&] { return real(path); };
    return is_ours(path) ? at_point("unlink", call) : call();
}

} // extern "C"
