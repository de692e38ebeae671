#include "net/client/ws_client.hpp"

#include <deque>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace coordination {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using net_client::nothrow;

struct WsClient::Connection {
    explicit Connection(const asio::any_io_executor& executor)
        : stream(executor),
          idle(executor, asio::steady_timer::time_point::max())
    {
    }

    net_client::Connector connector;
    websocket::stream<beast::tcp_stream> stream;
    beast::flat_buffer frame;
    std::deque<std::string> outbox;
    std::size_t outbox_bytes = 0;
    bool open = false;
    bool ended = false;
    bool writing = false;
    asio::steady_timer idle; // never runs out; cancelled when the writer has nothing left

    void end()
    {
        ended = true;
        open = false;
        connector.abort();
        beast::get_lowest_layer(stream).close();
    }

    static asio::awaitable<void> write_all(std::shared_ptr<Connection> self)
    {
        while (self->open && !self->outbox.empty()) {
            const auto [error, written] =
                co_await self->stream.async_write(asio::buffer(self->outbox.front()), nothrow);
            if (error)
                self->end();
            self->outbox_bytes -= self->outbox.front().size();
            self->outbox.pop_front();
        }
        self->writing = false;
        self->idle.cancel();
    }
};

WsClient::WsClient(asio::any_io_executor executor, ClientOptions options)
    : executor_(std::move(executor)),
      options_(std::move(options))
{
}

WsClient::~WsClient()
{
    abort();
}

asio::awaitable<tl::expected<void, ClientError>> WsClient::connect()
{
    abort();
    const auto connection = std::make_shared<Connection>(executor_);
    connection_ = connection;
    auto& stream = connection->stream;
    const auto reached = co_await connection->connector.open(&beast::get_lowest_layer(stream),
                                                             options_.endpoint, options_.connect_timeout);
    if (!reached)
        co_return tl::unexpected(reached.error());

    stream.set_option(websocket::stream_base::timeout{.handshake_timeout = options_.connect_timeout,
                                                      .idle_timeout = options_.silence_timeout,
                                                      .keep_alive_pings = true});
    stream.read_message_max(options_.frame_bytes_max);
    stream.auto_fragment(false);
    stream.text(true);
    stream.set_option(
        websocket::stream_base::decorator([token = options_.token](websocket::request_type& request) {
            if (!token.empty())
                request.set(beast::http::field::authorization, "Bearer " + token);
        }));
    websocket::response_type response;
    const auto [error] =
        co_await stream.async_handshake(response, options_.endpoint.authority(), "/", nothrow);
    if (error == websocket::error::upgrade_declined)
        co_return tl::unexpected(ClientError{.kind = ClientErrorKind::declined,
                                             .message = "the WebSocket handshake was answered with status " +
                                                        std::to_string(response.result_int()),
                                             .status = response.result_int(),
                                             .body = response.body()});
    if (error)
        co_return tl::unexpected(client_error_from(error, ClientErrorKind::malformed));
    if (connection->ended)
        co_return tl::unexpected(
            ClientError{.kind = ClientErrorKind::closed, .message = "the connection was closed"});
    connection->open = true;
    co_return tl::expected<void, ClientError>{};
}

tl::expected<void, ClientError> WsClient::send(std::string text)
{
    if (!connected())
        return tl::unexpected(ClientError{.kind = ClientErrorKind::closed, .message = "not connected"});
    if (connection_->outbox_bytes + text.size() > options_.outbox_bytes_max)
        return tl::unexpected(ClientError{.kind = ClientErrorKind::outbox_full,
                                          .message = "the daemon does not read what is sent to it"});
    connection_->outbox_bytes += text.size();
    connection_->outbox.push_back(std::move(text));
    if (!std::exchange(connection_->writing, true))
        asio::co_spawn(executor_, Connection::write_all(connection_), asio::detached);
    return {};
}

asio::awaitable<tl::expected<std::string, ClientError>> WsClient::receive()
{
    const auto connection = connection_;
    if (!connection || !connection->open)
        co_return tl::unexpected(ClientError{.kind = ClientErrorKind::closed, .message = "not connected"});
    connection->frame.clear();
    const auto [error, count] = co_await connection->stream.async_read(connection->frame, nothrow);
    if (!error)
        co_return beast::buffers_to_string(connection->frame.data());
    auto failure = client_error_from(error, ClientErrorKind::malformed);
    if (error == websocket::error::closed) {
        const auto& reason = connection->stream.reason();
        failure.close_code = reason.code;
        if (!reason.reason.empty())
            failure.message += ": " + std::string(reason.reason.c_str());
    }
    connection->end();
    co_return tl::unexpected(failure);
}

asio::awaitable<void> WsClient::close()
{
    const auto connection = connection_;
    if (!connection || !connection->open)
        co_return;
    asio::steady_timer deadline{executor_, options_.close_timeout};
    deadline.async_wait([connection](const boost::system::error_code& cancelled) {
        if (!cancelled)
            connection->end();
    });
    while (connection->writing)
        co_await connection->idle.async_wait(nothrow);
    if (connection->open)
        co_await connection->stream.async_close(websocket::close_code::normal, nothrow);
    connection->end();
}

void WsClient::abort()
{
    if (connection_)
        connection_->end();
}

bool WsClient::connected() const
{
    return connection_ && connection_->open;
}

} // namespace coordination
