#include "support/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace coordination::testing {

namespace {

[[noreturn]] void failed(const std::string& what)
{
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

} // namespace

Connection::Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    if (socket_ < 0)
        failed("socket");
    const auto address = loopback(port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const auto error = errno;
        ::close(socket_);
        errno = error;
        failed("cannot connect to port " + std::to_string(port));
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::Connection(Connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      buffer_(std::move(other.buffer_)),
      taken_(other.taken_)
{
}

Connection::~Connection()
{
    hang_up();
}

bool Connection::wait_for(short events, const Deadline& deadline) const
{
    pollfd poll{.fd = socket_, .events = events, .revents = 0};
    for (;;) {
        const int ready = ::poll(&poll, 1, deadline.remaining_ms());
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

void Connection::write(std::string_view bytes)
{
    const Deadline deadline;
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno != EAGAIN)
            failed("send");
        else if (!wait_for(POLLOUT, deadline))
            throw std::runtime_error("the daemon does not read what it is sent");
    }
}

bool Connection::write_until_answered(std::string_view bytes)
{
    const Deadline deadline;
    while (!bytes.empty()) {
        if (wait_for(POLLIN, Deadline{std::chrono::milliseconds{0}}))
            return false;
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno != EAGAIN)
            return false;
        else if (!wait_for(POLLIN | POLLOUT, deadline))
            throw std::runtime_error("the daemon neither reads nor answers");
    }
    return true;
}

bool Connection::read_more(const Deadline& deadline)
{
    if (!wait_for(POLLIN, deadline))
        throw std::runtime_error("nothing came within the deadline; unread: " +
                                 std::string(unread().substr(0, 500)));
    std::array<char, 65536> bytes;
    const auto received = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (received <= 0)
        return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(received));
    return true;
}

void Connection::take(std::size_t bytes)
{
    taken_ += bytes;
    if (taken_ == buffer_.size() || taken_ > 1 << 20) {
        buffer_.erase(0, taken_);
        taken_ = 0;
    }
}

void Connection::finish_sending()
{
    ::shutdown(socket_, SHUT_WR);
}

void Connection::hang_up()
{
    if (socket_ >= 0)
        ::close(std::exchange(socket_, -1));
}

void Connection::abort()
{
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up();
}

std::uint16_t free_port()
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!bound)
        failed("cannot find a free port");
    return ntohs(address.sin_port);
}

} // namespace coordination::testing
