#pragma once

#include "net/connection/corked_socket.hpp"

#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffer_traits.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <memory>
#include <utility>

namespace coordination {

/// A CorkedSocket as the next layer that Beast asks for. A handle: copies speak of the same socket.
class CorkedStream {
public:
    using executor_type = Strand;
    using next_layer_type = Socket;

    explicit CorkedStream(std::shared_ptr<CorkedSocket> socket) : socket_(std::move(socket)) {}

    executor_type get_executor() const noexcept { return socket_->strand(); }
    next_layer_type& next_layer() noexcept { return socket_->socket(); }
    const next_layer_type& next_layer() const noexcept { return socket_->socket(); }
    CorkedSocket& corked() noexcept { return *socket_; }

    // NOLINTBEGIN(cppcoreguidelines-missing-std-forward): async_initiate takes a token as an lvalue
    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token)
    {
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
            [socket = socket_](auto handler, const Buffers& into) { read(socket, into, std::move(handler)); },
            token, buffers);
    }

    /// Takes all of it at once; completes when there is room for more.
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token)
    {
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
            [socket = socket_](auto handler, const Buffers& from) {
                write(socket, from, std::move(handler));
            },
            token, buffers);
    }
    // NOLINTEND(cppcoreguidelines-missing-std-forward)

private:
    template <class Buffers>
    static std::size_t take(CorkedSocket& socket, const Buffers& into)
    {
        const auto received = socket.received();
        const auto bytes = boost::asio::buffer_copy(into, boost::asio::buffer(received));
        socket.consume(bytes);
        return bytes;
    }

    template <class Buffers, class Handler>
    static void read(const std::shared_ptr<CorkedSocket>& socket, const Buffers& into, Handler handler)
    {
        if (!socket->received().empty() || boost::beast::buffer_bytes(into) == 0) {
            const auto bytes = take(*socket, into);
            boost::asio::post(socket->strand(),
                              boost::beast::bind_front_handler(std::move(handler), error_code{}, bytes));
            return;
        }
        socket->fill(
            CorkedSocket::Done([socket, into, handler = std::move(handler)](error_code error) mutable {
                const auto bytes = error ? std::size_t{0} : take(*socket, into);
                std::move(handler)(error, bytes);
            }));
    }

    template <class Buffers, class Handler>
    static void write(const std::shared_ptr<CorkedSocket>& socket, const Buffers& from, Handler handler)
    {
        std::size_t bytes = 0;
        for (const auto buffer : boost::beast::buffers_range_ref(from)) {
            socket->write({static_cast<const char*>(buffer.data()), buffer.size()});
            bytes += buffer.size();
        }
        if (!socket->failed() && !socket->full()) {
            boost::asio::post(socket->strand(),
                              boost::beast::bind_front_handler(std::move(handler), error_code{}, bytes));
            return;
        }
        socket->when_room(CorkedSocket::Done([bytes, handler = std::move(handler)](error_code error) mutable {
            std::move(handler)(error, error ? 0 : bytes);
        }));
    }

    std::shared_ptr<CorkedSocket> socket_;
};

/// How Beast ends a WebSocket's connection: what was gathered goes out first.
template <class Handler>
void async_teardown(boost::beast::role_type role, CorkedStream& stream, Handler&& handler)
{
    auto& corked = stream.corked();
    corked.when_flushed(
        CorkedSocket::Done([stream, role, handler = std::forward<Handler>(handler)](error_code) mutable {
            boost::beast::websocket::async_teardown(role, stream.next_layer(), std::move(handler));
        }));
}

} // namespace coordination
