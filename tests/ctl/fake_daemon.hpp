#pragma once

#include "support/json.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace coordination::testing {

/// A daemon's WebSocket port whose every word the test speaks itself, for what a real one does rarely: to
/// forget, to repeat itself, to refuse, to go away at the worst moment. Each wait ends with an exception at
/// the deadline.
class FakeDaemon {
public:
    FakeDaemon();

    std::uint16_t ws_port() const { return acceptor_.local_endpoint().port(); }

    /// The client's next connection; the one before is dropped.
    void accept();
    /// The client's next message of this type. Heartbeats in between are passed over.
    Json expect(std::string_view type);
    /// expect(), then success for it.
    Json expect_and_agree(std::string_view type);
    void send(const Json& frame);
    void agree(const Json& request);
    void refuse(const Json& request, std::string_view code);
    /// Takes the registration and answers it.
    Json register_worker(const boost::json::array& held = {});
    void assign(std::string_view task, int attempt, int fence);
    /// As when the daemon is killed.
    void drop();
    /// As when it stops or turns the client away.
    void close(unsigned code);
    /// Whether the client closes in order, without another word but heartbeats.
    bool closed();

private:
    void wait_for(const bool& done);
    boost::system::error_code read(std::string& message);

    boost::asio::io_context io_{1};
    boost::asio::ip::tcp::acceptor acceptor_;
    std::unique_ptr<boost::beast::websocket::stream<boost::asio::ip::tcp::socket>> peer_;
};

} // namespace coordination::testing
