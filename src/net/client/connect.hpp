#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <tl/expected.hpp>

#include "net/client/client_error.hpp"
#include "net/client/endpoint.hpp"

namespace coordination {

/// How a client reaches one daemon. Sizes are bytes.
struct ClientOptions {
    Endpoint endpoint;
    std::string token = {}; ///< sent as `Authorization: Bearer` unless empty
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds reply_timeout{30'000};
    std::chrono::milliseconds close_timeout{1'000}; ///< for a WebSocket to be closed in order
    std::chrono::milliseconds silence_timeout{
        30'000}; ///< of a WebSocket; it is asked with a ping at half of it
    std::uint64_t body_bytes_max = 1U << 30U;
    std::size_t frame_bytes_max = 16U << 20U;
    std::size_t outbox_bytes_max = 16U << 20U;
};

namespace net_client {

/// What fails in the normal course of events answers with an error_code, not an exception.
inline constexpr auto nothrow = boost::asio::as_tuple(boost::asio::use_awaitable);

/// Resolves and connects, for one stream.
///
/// Deadline  One for both. The look-up of a name cannot be interrupted, only no longer waited for: it goes on
///           in Asio's own thread, and its executor has work until it is through.
/// Use       From one strand. It and the stream outlive open().
class Connector {
public:
    /// Connects `stream` within `timeout`, and turns Nagle's delay off.
    boost::asio::awaitable<tl::expected<void, ClientError>>
    open(boost::beast::tcp_stream* stream, Endpoint endpoint, std::chrono::milliseconds timeout);

    /// An open() that looks a name up ends at once, and none begins any more. (One that connects already ends
    /// when its stream is closed.)
    void abort();

private:
    struct Lookup;
    using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;

    boost::asio::awaitable<tl::expected<Addresses, ClientError>>
    resolve(Endpoint endpoint, std::chrono::steady_clock::time_point deadline);

    bool aborted_ = false;
    std::shared_ptr<Lookup> lookup_; ///< under way
};

} // namespace net_client

} // namespace coordination
