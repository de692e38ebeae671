#include "bench/readers.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace coordination::bench {
namespace {

/// Header included; 0: it is not all there.
std::size_t frame_size(std::string_view bytes)
{
    if (bytes.size() < 4)
        return 0;
    std::size_t size = static_cast<unsigned char>(bytes[1]);
    if (size > 126)
        give_up("a longer frame than there should be");
    if (size == 126)
        size = 4 + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[2])) << 8 |
                    static_cast<unsigned char>(bytes[3]));
    else
        size += 2;
    return size <= bytes.size() ? size : 0;
}

void look(std::string_view text, std::int64_t now, const Due& due, Histogram& us)
{
    constexpr std::string_view head = R"({"type":"state_change","change":{"collection":")";
    constexpr std::string_view task = R"(tasks","key":"b)";
    constexpr std::string_view operation = R"(","operation":")";
    constexpr std::size_t digits = 9;
    if (text[2] != 't' || text[14] != '_' || text[15] != 'c')
        give_up("a subscriber that reads was sent: " + std::string(text.substr(0, 200)));
    text.remove_prefix(head.size());
    if (!text.starts_with(task))
        return;
    std::size_t number = 0;
    for (const char digit : text.substr(task.size(), digits))
        number = number * 10 + static_cast<std::size_t>(digit - '0');
    const char what = text[task.size() + digits + operation.size()]; // set, update or delete
    if (what == 'd')
        return;
    const auto late = now - due.at[number][what == 's' ? 0 : 1].load(std::memory_order_relaxed);
    us.add(static_cast<std::uint64_t>(std::max<std::int64_t>(late, 0) / 1000));
}

} // namespace

void give_up(std::string_view what)
{
    fmt::print(stderr, "{} ({})\n", what, std::strerror(errno));
    std::exit(1);
}

int connect_to(std::uint16_t port)
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        give_up("connect");
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

void send_all(int socket, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            give_up("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string receive_until(int socket, std::string_view end)
{
    std::string all;
    std::array<char, 4096> bytes{};
    while (all.find(end) == std::string::npos) {
        const auto got = ::recv(socket, bytes.data(), bytes.size(), 0);
        if (got <= 0)
            give_up("the daemon hung up");
        all.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return all;
}

/// The mask is all zeroes.
void append_frame(std::string& out, std::string_view text)
{
    out += '\x81';
    if (text.size() < 126) {
        out += static_cast<char>(0x80 | text.size());
    } else {
        out += static_cast<char>(0xfe);
        out += static_cast<char>(text.size() >> 8);
        out += static_cast<char>(text.size() & 0xff);
    }
    out.append(4, '\0');
    out += text;
}

int open_websocket(std::uint16_t port)
{
    const int socket = connect_to(port);
    send_all(socket, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    receive_until(socket, "\r\n\r\n");
    return socket;
}

int open_subscriber(std::uint16_t port, std::string_view policy)
{
    const int socket = open_websocket(port);
    std::string out;
    append_frame(out,
                 fmt::format(R"({{"type":"subscribe","topics":["*"],"policy":"{}","requestId":1}})", policy));
    send_all(socket, out);
    receive_until(socket, "success\":true");
    return socket;
}

std::int64_t nanoseconds(std::chrono::steady_clock::time_point at)
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

Reader::~Reader()
{
    ::close(socket_);
}

void Reader::receive(std::vector<char>& buffer, const Due& due, Histogram& us)
{
    std::copy(rest_.begin(), rest_.end(), buffer.begin());
    const auto got =
        ::recv(socket_, buffer.data() + rest_.size(), buffer.size() - rest_.size(), MSG_DONTWAIT);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
            return;
        give_up("the daemon hung up on a subscriber that reads");
    }
    const auto now = nanoseconds(std::chrono::steady_clock::now());
    std::string_view bytes(buffer.data(), rest_.size() + static_cast<std::size_t>(got));
    std::uint64_t seen = 0;
    while (const auto frame = frame_size(bytes)) {
        look(bytes.substr(bytes[1] == 126 ? 4 : 2, frame), now, due, us);
        bytes.remove_prefix(frame);
        ++seen;
    }
    rest_.assign(bytes);
    changes_.store(changes() + seen, std::memory_order_relaxed);
}

Readers::Readers(std::uint16_t port, std::size_t count, const Due& due)
    : due_(due),
      poll_(::epoll_create1(EPOLL_CLOEXEC))
{
    for (std::size_t i = 0; i < count; ++i) {
        all_.push_back(std::make_unique<Reader>(open_subscriber(port, "disconnect")));
        epoll_event event{.events = EPOLLIN, .data = {.ptr = all_.back().get()}};
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, all_.back()->socket(), &event);
    }
    thread_ = std::thread([this] { run(); });
}

Readers::~Readers()
{
    stopped_ = true;
    thread_.join();
    ::close(poll_);
}

std::uint64_t Readers::least() const
{
    std::uint64_t least = UINT64_MAX;
    for (const auto& one : all_)
        least = std::min(least, one->changes());
    return least;
}

void Readers::run()
{
    std::vector<char> buffer(1 << 20);
    std::array<epoll_event, 256> events;
    while (!stopped_) {
        const int ready = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 100);
        for (int i = 0; i < ready; ++i)
            static_cast<Reader*>(events[static_cast<std::size_t>(i)].data.ptr)->receive(buffer, due_, *us_);
    }
}

BadReader::BadReader(std::uint16_t port, std::string_view policy)
    : port_(port),
      policy_(policy),
      socket_(open_subscriber(port, policy))
{
}

BadReader::~BadReader()
{
    ::close(socket_);
}

void BadReader::come_back_if_cut_off()
{
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size);
    if (info.tcpi_state == TCP_ESTABLISHED)
        return;
    ::close(socket_);
    socket_ = open_subscriber(port_, policy_);
    ++cut_off_;
}

} // namespace coordination::bench
