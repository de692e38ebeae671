#include "net/server.hpp"

#include "net/http/response.hpp"
#include "net/ws/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

/// Tells why, as far as that costs nothing: a new socket has room for so few bytes, and nobody waits for it.
void turn_away(Socket& socket)
{
    auto answer = failure_response({ErrorCode::too_many_connections,
                                    "too many connections are open: close some, or raise --connections-max"});
    answer.headers = "Retry-After: 1\r\n";
    const auto text =
        response_head(answer, {.keep_alive = false, .headers = {}}, answer.body.size()) + answer.body;
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(Socket::shutdown_send, ignored);
}

} // namespace

Server::Server(const asio::any_io_executor& executor, const DaemonOptions& options, Coordinator& coordinator,
               Metrics& metrics, const Clock& clock, ServerHooks hooks)
    : executor_(executor),
      strand_(strand_on(executor, options.run_by)),
      context_{options, coordinator, metrics, clock, std::move(hooks), std::nullopt},
      http_(strand_),
      ws_(strand_),
      connections_(strand_, options.request_timeout),
      loop_end_(std::make_shared<Wakeup>(strand_))
{
}

tl::expected<Endpoints, std::string> Server::listen()
{
    const auto& options = context_.options;
    one_port_ = options.http_port != 0 && options.http_port == options.ws_port;
    auto opened = http_.open(options.host, options.http_port, "--port");
    if (opened && !one_port_)
        opened = ws_.open(options.host, options.ws_port, "--ws-port");
    if (!opened)
        return tl::unexpected(std::move(opened.error()));
    const auto& ws = one_port_ ? http_ : ws_;
    context_.access.emplace(options, http_.port(), ws.port());
    return Endpoints{http_.endpoint(), ws.endpoint()};
}

void Server::start()
{
    accept_on(http_, {.http = true, .websocket = one_port_});
    if (!one_port_)
        accept_on(ws_, {.http = false, .websocket = true});
    ++loops_;
    asio::co_spawn(strand_, connections_.sweep(), [this](const std::exception_ptr& bug) {
        loop_ended();
        if (bug)
            std::rethrow_exception(bug);
    });
}

void Server::accept_on(Listener& listener, Services services)
{
    ++loops_;
    auto accepting = listener.accept_all(executor_, context_.options.run_by, [this, services](Socket socket) {
        serve(std::move(socket), services);
    });
    asio::co_spawn(strand_, std::move(accepting), [this](const std::exception_ptr& bug) {
        loop_ended();
        if (bug)
            std::rethrow_exception(bug);
    });
}

void Server::loop_ended()
{
    --loops_;
    loop_end_->notify();
}

void Server::serve(Socket socket, Services services)
{
    const auto connection = connections_.admit(socket, context_.options.connections_max);
    if (!connection) {
        context_.metrics.limits.count(LimitKind::connections);
        if (services.http)
            turn_away(socket);
        return; // closed as the socket goes
    }
    asio::co_spawn(connection->strand(), converse(connection, &context_, services),
                   [this, connection](const std::exception_ptr& bug) {
                       connection->abort();
                       connections_.remove(connection);
                       if (bug)
                           std::rethrow_exception(bug);
                   });
}

/// A connection from its first byte to its last.
asio::awaitable<void> Server::converse(std::shared_ptr<Connection> connection, ServerContext* context,
                                       Services services)
{
    auto http = std::make_shared<HttpSession>(connection, *context, services);
    auto upgrade = co_await http->run();
    http.reset();
    if (upgrade) {
        const auto ws = std::make_shared<WsSession>(connection, *context);
        co_await ws->run(std::move(*upgrade));
    }
}

asio::awaitable<void> Server::shutdown()
{
    co_await asio::co_spawn(strand_, stop(), asio::use_awaitable);
}

asio::awaitable<void> Server::stop()
{
    http_.close();
    ws_.close();
    connections_.drain_all();
    co_await connections_.emptied(context_.options.drain_timeout);
    connections_.abort_all();
    co_await connections_.emptied(std::chrono::hours(24)); // each ends at once now
    connections_.stop();
    while (loops_ > 0)
        co_await loop_end_->wait();
}

} // namespace coordination
