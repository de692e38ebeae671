#pragma once

#include "support/deadline.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coordination::testing {

/// A TCP connection to this machine that sends any bytes and reads with a deadline. Not thread-safe.
class Connection {
public:
    explicit Connection(std::uint16_t port);
    ~Connection();
    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&&) = delete;

    /// All of it. Throws when the peer is gone or stops reading.
    void write(std::string_view bytes);

    /// As much as goes out before the peer answers, hangs up or is gone; for peers that may refuse midway.
    /// True when all of it went out.
    bool write_until_answered(std::string_view bytes);

    /// Waits for more bytes in unread(). False when the peer is done sending or reset the connection.
    bool read_more(const Deadline& deadline = Deadline{});

    std::string_view unread() const { return std::string_view(buffer_).substr(taken_); }
    void take(std::size_t bytes);

    /// Says that nothing more will be sent; still reads.
    void finish_sending();

    void hang_up();

    /// Hangs up with a reset, as a crashed machine's kernel would.
    void abort();

private:
    bool wait_for(short events, const Deadline& deadline) const; ///< false at the deadline

    int socket_;
    std::string buffer_;
    std::size_t taken_ = 0;
};

/// A port that was free a moment ago.
std::uint16_t free_port();

} // namespace coordination::testing
