#pragma once

#include "net/connection/connection.hpp"
#include "net/http/exchange.hpp"
#include "net/http/reception.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace coordination {

/// HTTP over one connection: requests are read and started one after the other, answers go out in the same
/// order, everything that is ready in one write.
///
/// Bounds   `exchanges_max` requests under way, and of their bytes and of their answers' about one largest
///          body; then it stops reading.
/// Threads  The connection's strand.
class HttpSession final : public Session, public std::enable_shared_from_this<HttpSession> {
public:
    static constexpr std::size_t exchanges_max = 64;

    HttpSession(std::shared_ptr<Connection> connection, ServerContext& context, Services services);
    ~HttpSession() override;

    /// Until the connection is done with, or asks to become a WebSocket: then with that request.
    boost::asio::awaitable<std::optional<HttpRequest>> run();

    void on_deadline() override;
    void on_stall() override;
    void drain() override;

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    boost::asio::awaitable<std::optional<HttpRequest>> read_requests();
    bool must_wait() const;
    LimitKind time_limit() const noexcept;
    void skip_empty_lines();
    boost::asio::awaitable<error_code> read_request(Parser* parser);
    static bool expects_continue(const Parser& parser);
    boost::asio::awaitable<void> say_continue();
    void start(const HttpRequest& request);
    void refuse(error_code error);
    void enqueue(std::shared_ptr<Exchange> exchange);

    static boost::asio::awaitable<void> write_answers(std::shared_ptr<HttpSession> self);
    boost::asio::awaitable<void> send(std::shared_ptr<Exchange> exchange);
    boost::asio::awaitable<void> linger();

    std::shared_ptr<Connection> connection_;
    ServerContext& context_;
    const Services services_;
    std::deque<std::shared_ptr<Exchange>> exchanges_;
    std::size_t bytes_under_way_ = 0;
    std::shared_ptr<Wakeup> writer_;
    std::shared_ptr<Wakeup> reader_;
    std::optional<Reception> reception_; ///< of the request that is being read, once its head is there
    bool request_begun_ = false;
    bool reading_ended_ = false;
    bool writing_ended_ = false;
    bool draining_ = false;
};

} // namespace coordination
