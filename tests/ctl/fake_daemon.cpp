#include "ctl/fake_daemon.hpp"

#include "support/deadline.hpp"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/error.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace coordination::testing {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

FakeDaemon::FakeDaemon() : acceptor_(io_, tcp::endpoint{asio::ip::make_address("127.0.0.1"), 0}) {}

void FakeDaemon::wait_for(const bool& done)
{
    const Deadline deadline;
    io_.restart();
    while (!done) {
        io_.run_one_for(std::chrono::milliseconds{deadline.remaining_ms()});
        if (deadline.passed())
            throw std::runtime_error("the client keeps silent");
    }
}

void FakeDaemon::accept()
{
    drop();
    bool done = false;
    boost::system::error_code failure;
    const auto finish = [&](const boost::system::error_code& error) {
        failure = error;
        done = true;
    };
    acceptor_.async_accept([&](const boost::system::error_code& error, tcp::socket socket) {
        if (error)
            return finish(error);
        peer_ = std::make_unique<beast::websocket::stream<tcp::socket>>(std::move(socket));
        peer_->async_accept(finish);
    });
    wait_for(done);
    if (failure)
        throw std::runtime_error("accept: " + failure.message());
}

boost::system::error_code FakeDaemon::read(std::string& message)
{
    beast::flat_buffer frame;
    bool done = false;
    boost::system::error_code failure;
    peer_->async_read(frame, [&](const boost::system::error_code& error, std::size_t) {
        failure = error;
        done = true;
    });
    wait_for(done);
    message = beast::buffers_to_string(frame.data());
    return failure;
}

Json FakeDaemon::expect(std::string_view type)
{
    for (;;) {
        std::string raw;
        if (const auto failure = read(raw))
            throw std::runtime_error("read: " + failure.message());
        auto message = parse(raw);
        const auto told = text(message, "type");
        if (told == type)
            return message;
        if (told != "heartbeat")
            throw std::runtime_error("expected " + std::string(type) + ", got " +
                                     boost::json::serialize(message));
    }
}

Json FakeDaemon::expect_and_agree(std::string_view type)
{
    auto message = expect(type);
    agree(message);
    return message;
}

void FakeDaemon::send(const Json& frame)
{
    peer_->text(true);
    peer_->write(asio::buffer(boost::json::serialize(frame)));
}

void FakeDaemon::agree(const Json& request)
{
    send({{"type", "response"}, {"requestId", field(request, "requestId")}, {"success", true}});
}

void FakeDaemon::refuse(const Json& request, std::string_view code)
{
    send({{"type", "response"},
          {"requestId", field(request, "requestId")},
          {"success", false},
          {"error", "It is refused"},
          {"code", code}});
}

Json FakeDaemon::register_worker(const boost::json::array& held)
{
    auto message = expect("register");
    send({{"type", "registered"},
          {"workerId", field(message, "workerId")},
          {"timestamp", 1},
          {"sessionId", "1"},
          {"revision", 1},
          {"heartbeatInterval", 50},
          {"heartbeatTimeout", 60'000},
          {"tasks", held}});
    return message;
}

void FakeDaemon::assign(std::string_view task, int attempt, int fence)
{
    send({{"type", "task_assigned"},
          {"task",
           {{"id", task},
            {"title", "A task"},
            {"status", "assigned"},
            {"attempt", attempt},
            {"fence", fence}}},
          {"timestamp", 1}});
}

void FakeDaemon::close(unsigned code)
{
    peer_->close(beast::websocket::close_reason(static_cast<std::uint16_t>(code)));
}

bool FakeDaemon::closed()
{
    for (;;) {
        std::string raw;
        if (const auto failure = read(raw))
            return failure == beast::websocket::error::closed;
        if (text(parse(raw), "type") != "heartbeat")
            throw std::runtime_error("expected the end, got " + raw);
    }
}

void FakeDaemon::drop()
{
    if (peer_)
        peer_->next_layer().close();
    peer_.reset();
}

} // namespace coordination::testing
