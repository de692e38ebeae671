#include "bench/load/loop.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace coordination::bench {

namespace {

constexpr std::size_t read_bytes = 1 << 18;

[[noreturn]] void refused_by_kernel(std::string_view what)
{
    give_up(fmt::format("{}: {}", what, std::strerror(errno)));
}

void control(int epoll, int operation, Source& source, std::uint32_t events)
{
    epoll_event event{.events = events, .data = {.ptr = &source}};
    if (::epoll_ctl(epoll, operation, source.fd(), &event) != 0)
        refused_by_kernel("epoll_ctl");
}

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void send_at_once(int fd)
{
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

} // namespace

Nanos now() noexcept
{
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return Nanos{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void give_up(std::string_view what)
{
    fmt::print(stderr, "{}: {}\n", program_invocation_short_name, what);
    std::exit(1);
}

Source::~Source()
{
    ::close(fd_);
}

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC))
{
    if (epoll_ < 0)
        refused_by_kernel("epoll_create1");
}

Loop::~Loop()
{
    ::close(epoll_);
}

void Loop::add(Source& source)
{
    control(epoll_, EPOLL_CTL_ADD, source, EPOLLIN);
}

void Loop::remove(Source& source)
{
    control(epoll_, EPOLL_CTL_DEL, source, 0);
    std::erase(dirty_, &source);
}

void Loop::want_write(Source& source, bool wanted)
{
    control(epoll_, EPOLL_CTL_MOD, source, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Loop::want_read(Source& source, bool wanted)
{
    control(epoll_, EPOLL_CTL_MOD, source, wanted ? EPOLLIN : 0U);
}

void Loop::turn(Nanos wait)
{
    flushing_.swap(dirty_);
    for (Source* source : flushing_)
        source->flush(*this);
    flushing_.clear();

    std::array<epoll_event, 512> events;
    const timespec patience{.tv_sec = wait / 1'000'000'000, .tv_nsec = wait % 1'000'000'000};
    const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                     wait < 0 ? nullptr : &patience, nullptr);
    if (count < 0 && errno != EINTR)
        refused_by_kernel("epoll_wait");
    woke_ = now();
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        static_cast<Source*>(event.data.ptr)->ready(*this, event.events);
    }
}

Link::Link(Loop& loop, int fd) : Source(fd), loop_(loop)
{
    loop_.add(*this);
}

Link::~Link()
{
    if (alive_)
        loop_.remove(*this);
}

void Link::ready(Loop& loop, std::uint32_t events)
{
    if ((events & EPOLLOUT) != 0)
        flush(loop);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || !alive_)
        return;
    static std::array<char, read_bytes> buffer;
    const auto got = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0)
        return take({buffer.data(), static_cast<std::size_t>(got)});
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    lose(got == 0 ? "closed by the peer" : std::strerror(errno));
}

void Link::take(std::string_view bytes)
{
    if (in_.empty()) {
        in_.append(bytes.substr(received(bytes)));
        return;
    }
    in_.append(bytes);
    in_.erase(0, received(in_));
}

void Link::flush(Loop& loop)
{
    dirty_ = false;
    if (!alive_ || out_.empty())
        return;
    const auto sent = ::send(fd(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return lose(std::strerror(errno));
    if (sent > 0)
        out_.erase(0, static_cast<std::size_t>(sent));
    if (writing_ != !out_.empty()) {
        writing_ = !out_.empty();
        loop.want_write(*this, writing_);
    }
}

void Link::lose(std::string_view why)
{
    alive_ = false;
    loop_.remove(*this);
    lost(why);
}

int connect_to(std::uint16_t port, int receive_buffer)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        refused_by_kernel("socket");
    if (receive_buffer > 0)
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const auto address = loopback(port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        refused_by_kernel(fmt::format("no connection to port {}", port));
    send_at_once(fd);
    return fd;
}

int listen_at(std::uint16_t& port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    auto address = loopback(port);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(fd, 4096) != 0)
        refused_by_kernel(fmt::format("cannot listen at port {}", port));
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return fd;
}

int accept_from(int listener)
{
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        send_at_once(fd);
    return fd;
}

void allow_many_descriptors()
{
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

void pin_to(int cpu)
{
    if (cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0)
        refused_by_kernel(fmt::format("no core {}", cpu));
}

} // namespace coordination::bench
