#include "net/client/connect.hpp"

#include <optional>
#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace coordination::net_client {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

/// Shared with the resolver, which may be through long after nobody waits for it any more.
struct Connector::Lookup {
    Lookup(const asio::any_io_executor& executor, Clock::time_point deadline)
        : resolver(executor),
          waiting(executor, deadline)
    {
    }

    tcp::resolver resolver;
    asio::steady_timer
        waiting; ///< runs out at the deadline; cancelled when there is an outcome or no interest
    std::optional<tl::expected<Addresses, ClientError>> outcome;
};

asio::awaitable<tl::expected<Connector::Addresses, ClientError>>
Connector::resolve(Endpoint endpoint, Clock::time_point deadline)
{
    boost::system::error_code not_numeric;
    const auto address = asio::ip::make_address(endpoint.host, not_numeric);
    if (!not_numeric)
        co_return Addresses{tcp::endpoint{address, endpoint.port}};

    const auto executor = co_await asio::this_coro::executor;
    const auto lookup = std::make_shared<Lookup>(executor, deadline);
    lookup_ = lookup;
    lookup->resolver.async_resolve(
        endpoint.host, std::to_string(endpoint.port),
        [lookup](const boost::system::error_code& error, const tcp::resolver::results_type& results) {
            Addresses addresses;
            for (const auto& entry : results)
                addresses.push_back(entry.endpoint());
            if (error)
                lookup->outcome = tl::unexpected(
                    ClientError{.kind = ClientErrorKind::unresolvable, .message = "no such host"});
            else
                lookup->outcome = std::move(addresses);
            lookup->waiting.cancel();
        });
    co_await lookup->waiting.async_wait(nothrow);
    lookup_.reset();
    if (!lookup->outcome)
        lookup->resolver.cancel(); // for one that has not begun, behind others that take long
    if (!lookup->outcome)
        co_return tl::unexpected(
            ClientError{.kind = ClientErrorKind::timed_out, .message = "its name was not resolved in time"});
    co_return *lookup->outcome;
}

asio::awaitable<tl::expected<void, ClientError>>
Connector::open(boost::beast::tcp_stream* stream, Endpoint endpoint, std::chrono::milliseconds timeout)
{
    const auto deadline = Clock::now() + timeout;
    const auto addresses = co_await resolve(endpoint, deadline);
    if (aborted_)
        co_return tl::unexpected(
            ClientError{.kind = ClientErrorKind::closed, .message = "the connection was closed"});
    if (!addresses)
        co_return tl::unexpected(addresses.error());
    stream->expires_at(deadline);
    const auto [error, peer] = co_await stream->async_connect(*addresses, nothrow);
    stream->expires_never();
    if (error)
        co_return tl::unexpected(client_error_from(error, ClientErrorKind::unreachable));
    boost::system::error_code ignored; // a socket that keeps Nagle's delay is slower, not wrong
    stream->socket().set_option(tcp::no_delay{true}, ignored);
    co_return tl::expected<void, ClientError>{};
}

void Connector::abort()
{
    aborted_ = true;
    if (lookup_)
        lookup_->waiting.cancel();
}

} // namespace coordination::net_client
