#include "net/client/connect.hpp"

#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace coordination::net_client {

namespace asio = boost::asio;
using asio::ip::tcp;
using Addresses = std::vector<tcp::endpoint>;

namespace {

asio::awaitable<tl::expected<Addresses, ClientError>> resolve(Endpoint endpoint,
                                                              std::chrono::milliseconds timeout)
{
    boost::system::error_code not_numeric;
    const auto address = asio::ip::make_address(endpoint.host, not_numeric);
    if (!not_numeric)
        co_return Addresses{tcp::endpoint{address, endpoint.port}};

    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver{executor};
    asio::steady_timer deadline{executor, timeout};
    const auto outcome =
        co_await (resolver.async_resolve(endpoint.host, std::to_string(endpoint.port), nothrow) ||
                  deadline.async_wait(nothrow));
    if (outcome.index() == 1)
        co_return tl::unexpected(
            ClientError{.kind = ClientErrorKind::timed_out, .message = "its name was not resolved in time"});
    const auto& [error, results] = std::get<0>(outcome);
    if (error)
        co_return tl::unexpected(
            ClientError{.kind = ClientErrorKind::unresolvable, .message = "no such host"});
    Addresses addresses;
    for (const auto& entry : results)
        addresses.push_back(entry.endpoint());
    co_return addresses;
}

} // namespace

asio::awaitable<tl::expected<void, ClientError>>
connect_stream(boost::beast::tcp_stream* stream, Endpoint endpoint, std::chrono::milliseconds timeout)
{
    const auto addresses = co_await resolve(endpoint, timeout);
    if (!addresses)
        co_return tl::unexpected(addresses.error());
    stream->expires_after(timeout);
    const auto [error, peer] = co_await stream->async_connect(*addresses, nothrow);
    stream->expires_never();
    if (error)
        co_return tl::unexpected(client_error_from(error, ClientErrorKind::unreachable));
    boost::system::error_code ignored; // a socket that keeps Nagle's delay is slower, not wrong
    stream->socket().set_option(tcp::no_delay{true}, ignored);
    co_return tl::expected<void, ClientError>{};
}

} // namespace coordination::net_client
