#include "net/connection/listener.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace coordination {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds pause_after_failure{100};

std::string refusal(const std::string& host, std::uint16_t port, std::string_view flag, error_code error)
{
    if (error == asio::error::address_in_use)
        return fmt::format("port {} is in use: stop what listens there, or choose another with {}", port,
                           flag);
    if (error == asio::error::access_denied)
        return fmt::format("port {} is reserved for root: choose one from 1024 up with {}", port, flag);
    return fmt::format("cannot listen on {}:{} ({}): choose an address of this machine with --host", host,
                       port, error.message());
}

} // namespace

Listener::Listener(const Strand& strand) : acceptor_(strand), pause_(strand) {}

tl::expected<void, std::string> Listener::open(const std::string& host, std::uint16_t port,
                                               std::string_view flag)
{
    error_code error;
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found = resolver.resolve(host, std::to_string(port),
                                        tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty())
        return tl::unexpected(refusal(host, port, flag, error));
    const tcp::endpoint endpoint = found.begin()->endpoint();
    const auto step = [&error](auto&& action) {
        if (!error)
            action();
    };
    step([&] { acceptor_.open(endpoint.protocol(), error); });
    step([&] { acceptor_.set_option(tcp::acceptor::reuse_address(true), error); });
    step([&] { acceptor_.bind(endpoint, error); });
    step([&] { acceptor_.listen(tcp::acceptor::max_listen_connections, error); });
    if (!error)
        return {};
    error_code ignored;
    acceptor_.close(ignored);
    return tl::unexpected(refusal(host, port, flag, error));
}

std::string Listener::endpoint() const
{
    error_code ignored;
    const auto endpoint = acceptor_.local_endpoint(ignored);
    const auto address = endpoint.address().to_string();
    return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                      : fmt::format("{}:{}", address, endpoint.port());
}

std::uint16_t Listener::port() const
{
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
}

asio::awaitable<void> Listener::accept_all(asio::any_io_executor executor, RunBy run_by, Accepted accepted)
{
    while (acceptor_.is_open()) {
        const Strand strand = strand_on(executor, run_by);
        auto [error, socket] = co_await acceptor_.async_accept(strand, nothrow);
        if (!acceptor_.is_open())
            break; // closed since: whoever closed it counts on nobody coming
        if (!error) {
            error_code ignored; // then small messages may be late, no more
            socket.set_option(tcp::no_delay(true), ignored);
            accepted(std::move(socket));
        } else if (error != asio::error::operation_aborted && error != asio::error::connection_aborted) {
            spdlog::warn("cannot accept a connection: {}", error.message()); // out of files or memory
            pause_.expires_after(pause_after_failure);
            const auto [woken] = co_await pause_.async_wait(nothrow);
            static_cast<void>(woken);
        }
    }
}

void Listener::close()
{
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

} // namespace coordination
