#pragma once

#include "net/connection/strand.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace coordination {

/// One listening port. Goes on when the system is out of files or memory.
///
/// Threads  One, which is the strand given once accept_all() runs.
class Listener {
public:
    using Accepted = std::function<void(Socket)>;

    explicit Listener(const Strand& strand);

    /// `flag` is the command line's name for the port, for the message that says what to do.
    tl::expected<void, std::string> open(const std::string& host, std::uint16_t port, std::string_view flag);
    /// "HOST:PORT", as it came out.
    std::string endpoint() const;
    std::uint16_t port() const;

    /// Each connection comes on a strand of its own. Until close().
    boost::asio::awaitable<void> accept_all(boost::asio::any_io_executor executor, RunBy run_by,
                                            Accepted accepted);
    void close();

private:
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
};

} // namespace coordination
