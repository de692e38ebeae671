#pragma once

#include "net/connection/connections.hpp"
#include "net/connection/listener.hpp"
#include "net/endpoints.hpp"
#include "net/http/session.hpp"
#include "net/server_context.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <tl/expected.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace coordination {

/// The ports of a daemon and everyone connected to them.
///
/// Use      listen(), start(), and shutdown() to its end before it is destroyed.
/// Threads  Those of the executor; listen() and start() before they run.
class Server {
public:
    Server(const boost::asio::any_io_executor& executor, const DaemonOptions& options,
           Coordinator& coordinator, Metrics& metrics, const Clock& clock, ServerHooks hooks);

    /// Takes the ports. The error is one line that says what to do.
    tl::expected<Endpoints, std::string> listen();
    /// Begins to accept.
    void start();
    /// Takes nobody new; WebSockets are sent what waits and closed with 1001, requests under
    /// way are answered. Whoever is not done after the drain timeout is cut off. Returns when
    /// every connection has ended.
    boost::asio::awaitable<void> shutdown();

private:
    void accept_on(Listener& listener, Services services);
    void serve(Socket socket, Services services);
    static boost::asio::awaitable<void> converse(std::shared_ptr<Connection> connection,
                                                 ServerContext* context, Services services);
    boost::asio::awaitable<void> stop();
    void loop_ended();

    boost::asio::any_io_executor executor_;
    Strand strand_;
    ServerContext context_;
    Listener http_;
    Listener ws_;
    bool one_port_ = false;
    Connections connections_;
    std::size_t loops_ = 0; ///< of accepting and sweeping, that have not ended
    std::shared_ptr<Wakeup> loop_end_;
};

} // namespace coordination
