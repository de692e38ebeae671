#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <tl/expected.hpp>

#include "net/client/client_error.hpp"
#include "net/client/connect.hpp"

namespace coordination {

/// One WebSocket connection to a daemon; after it was lost, connect() opens the next.
///
/// Use      From one strand. One receive() at a time; send() whenever. The client outlives its coroutines.
/// Order    Frames go out in the order of send(), by one writer, from a queue of at most `outbox_bytes_max`.
/// Errors   Every failure is a value. A write that fails ends the connection, and receive() tells it.
/// Silence  A daemon that answers no ping within `silence_timeout` counts as gone.
class WsClient {
public:
    WsClient(boost::asio::any_io_executor executor, ClientOptions options);
    ~WsClient();
    WsClient(const WsClient&) = delete;
    WsClient& operator=(const WsClient&) = delete;

    boost::asio::awaitable<tl::expected<void, ClientError>> connect();
    tl::expected<void, ClientError> send(std::string text);
    boost::asio::awaitable<tl::expected<std::string, ClientError>> receive();

    /// Sends what is queued, then closes in order. Bounded by `close_timeout`.
    boost::asio::awaitable<void> close();
    /// Ends the connection at once; a pending receive() returns.
    void abort();
    bool connected() const;

private:
    struct Connection;

    boost::asio::any_io_executor executor_;
    ClientOptions options_;
    std::shared_ptr<Connection> connection_; // shared with the writer, which may outlive this
};

} // namespace coordination
