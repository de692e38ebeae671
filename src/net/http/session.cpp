#include "net/http/session.hpp"

#include "net/wire/errors.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/string.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace coordination {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::milliseconds linger_time{2'000};

std::size_t bytes_of(const HttpRequest& request) noexcept
{
    return request.body().size() + request.target().size();
}

} // namespace

HttpSession::HttpSession(std::shared_ptr<Connection> connection, ServerContext& context, Services services)
    : connection_(std::move(connection)),
      context_(context),
      services_(services),
      writer_(std::make_shared<Wakeup>(connection_->strand())),
      reader_(std::make_shared<Wakeup>(connection_->strand()))
{
    connection_->set_session(this);
    connection_->socket().on_failure([writer = writer_] { writer->notify(); });
    ++context_.metrics.http_connections;
}

HttpSession::~HttpSession()
{
    connection_->set_session(nullptr);
    --context_.metrics.http_connections;
}

asio::awaitable<std::optional<HttpRequest>> HttpSession::run()
{
    asio::co_spawn(connection_->strand(), write_answers(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr& bug) {
                       self->writing_ended_ = true;
                       self->reader_->notify();
                       if (bug)
                           std::rethrow_exception(bug);
                   });
    auto upgrade = co_await read_requests();
    reading_ended_ = true;
    connection_->allow_for_ever(); // a peer that takes nothing is found by the sweep
    writer_->notify();
    while (!writing_ended_)
        co_await reader_->wait();
    if (!upgrade)
        co_await linger();
    co_return upgrade;
}

asio::awaitable<std::optional<HttpRequest>> HttpSession::read_requests()
{
    while (!draining_) {
        connection_->allow(services_.http ? context_.options.http_idle_timeout
                                          : context_.options.handshake_timeout);
        Parser parser;
        parser.eager(true);
        parser.header_limit(static_cast<std::uint32_t>(context_.options.header_bytes_max));
        parser.body_limit(context_.options.body_bytes_max);
        reception_.reset();
        const auto error = co_await read_request(&parser);
        request_begun_ = false;
        if (error) {
            refuse(error);
            break;
        }
        ++context_.metrics.http_requests;
        const bool goes_on = reception_->form.keep_alive && parser.is_done() && !draining_;
        reception_->form.keep_alive = goes_on;
        auto request = parser.release();
        if (reception_->upgrade)
            co_return request;
        start(request);
        if (!goes_on)
            break;
        connection_->allow_for_ever();
        if (must_wait())
            context_.metrics.limits.count(LimitKind::calls_under_way);
        while (must_wait())
            co_await reader_->wait();
    }
    co_return std::nullopt;
}

bool HttpSession::must_wait() const
{
    const auto bytes_max = context_.options.body_bytes_max;
    if (writing_ended_ || exchanges_.empty())
        return false;
    if (exchanges_.size() >= exchanges_max || bytes_under_way_ > bytes_max)
        return true;
    std::size_t unsent = 0; // a short question may have a long answer
    for (const auto& exchange : exchanges_)
        if (exchange->ready.load(std::memory_order_acquire))
            unsent += exchange->body.size();
    return unsent > bytes_max;
}

/// RFC 9112, 2.2: some clients send one after a body.
void HttpSession::skip_empty_lines()
{
    auto& socket = connection_->socket();
    while (socket.received().starts_with("\r\n"))
        socket.consume(2);
}

/// One whole request, of which some or all may have been received before. Of one that is answered without
/// its body, the head alone.
asio::awaitable<error_code> HttpSession::read_request(Parser* parser)
{
    auto& socket = connection_->socket();
    bool continued = false;
    for (;;) {
        if (!request_begun_)
            skip_empty_lines();
        while (!socket.received().empty() && (request_begun_ || socket.received() != "\r")) {
            if (!std::exchange(request_begun_, true) && services_.http)
                connection_->allow(context_.options.request_timeout);
            error_code error;
            const auto used = parser->put(asio::buffer(socket.received()), error);
            socket.consume(used);
            if (error && error != http::error::need_more)
                co_return error;
            if (parser->is_header_done() && !reception_)
                reception_ = receive(parser->get(), parser->chunked(), services_, context_);
            if (parser->is_done() || (reception_ && reception_->answer))
                co_return error_code{};
            if (error || used == 0)
                break;
        }
        // What Beast does not take yet: it sets no bound to a chunk's extensions, nor to the trailers.
        if (socket.received().size() > context_.options.header_bytes_max)
            co_return http::make_error_code(http::error::header_limit);
        if (!continued && expects_continue(*parser)) {
            continued = true;
            co_await say_continue();
        }
        const auto error = co_await socket.fill();
        if (error)
            co_return error;
        if (draining_)
            co_return asio::error::operation_aborted;
    }
}

bool HttpSession::expects_continue(const Parser& parser)
{
    return parser.is_header_done() && beast::iequals(parser.get()[http::field::expect], "100-continue");
}

/// The peer waits with its body until it hears that we would read it.
asio::awaitable<void> HttpSession::say_continue()
{
    connection_->allow_for_ever();                 // what takes long until then is ours
    while (!exchanges_.empty() && !writing_ended_) // answers to what came before go first
        co_await reader_->wait();
    connection_->allow(context_.options.request_timeout);
    connection_->socket().write("HTTP/1.1 100 Continue\r\n\r\n");
}

/// Answers what is no request. A peer that has gone, in whatever way, gets nothing more that could wait.
void HttpSession::refuse(error_code error)
{
    if (error.category() != http::make_error_code(http::error::need_more).category()) {
        for (const auto& exchange : exchanges_)
            exchange->abandoned = !draining_ || connection_->socket().failed(); // else we ended reading
        return;
    }
    auto exchange = std::make_shared<Exchange>();
    exchange->form.keep_alive = false;
    auto& limits = context_.metrics.limits;
    if (error == http::error::body_limit) {
        limits.count(LimitKind::body_bytes);
        exchange->answer(failure_response(
            {ErrorCode::payload_too_large,
             "a body may have at most " + std::to_string(context_.options.body_bytes_max) + " bytes"}));
    } else if (error == http::error::header_limit) {
        limits.count(LimitKind::header_bytes);
        exchange->answer(
            failure_response({ErrorCode::payload_too_large,
                              "headers, chunk extensions and trailers may have at most " +
                                  std::to_string(context_.options.header_bytes_max) + " bytes"}));
    } else {
        exchange->answer(
            {.status = 400, .body = wire::failure("BAD_REQUEST", "not HTTP: " + error.message())});
    }
    enqueue(std::move(exchange));
}

void HttpSession::start(const HttpRequest& request)
{
    auto exchange = std::make_shared<Exchange>();
    exchange->form = std::move(reception_->form);
    exchange->request_bytes = bytes_of(request);
    auto answered =
        reception_->answer ? Answer(std::move(*reception_->answer)) : answer_request(request, context_);
    auto* ask = std::get_if<Ask>(&answered);
    if (const auto* response = std::get_if<Response>(&answered)) {
        exchange->answer(*response);
    } else if (auto* produce = std::get_if<Produce>(&answered)) {
        exchange->produce = std::move(*produce);
        exchange->ready = true;
    }
    enqueue(exchange);
    if (ask)
        context_.coordinator.submit(
            std::move(ask->action), 0,
            std::make_unique<HttpCall>(std::move(exchange), std::move(ask->render), writer_));
}

void HttpSession::enqueue(std::shared_ptr<Exchange> exchange)
{
    bytes_under_way_ += exchange->request_bytes;
    exchanges_.push_back(std::move(exchange));
    writer_->notify();
}

asio::awaitable<void> HttpSession::write_answers(std::shared_ptr<HttpSession> self)
{
    auto& exchanges = self->exchanges_;
    auto& socket = self->connection_->socket();
    while (!socket.failed()) {
        if (exchanges.empty() && self->reading_ended_)
            break;
        if (exchanges.empty() || !exchanges.front()->ready.load(std::memory_order_acquire)) {
            co_await self->writer_->wait();
            continue;
        }
        const auto exchange = exchanges.front();
        co_await self->send(exchange);
        exchanges.pop_front();
        self->bytes_under_way_ -= exchange->request_bytes;
        self->reader_->notify();
        if (!exchange->form.keep_alive) {
            if (!self->reading_ended_)
                self->drain(); // only now it turned out that closing must end the body
            break;
        }
    }
}

asio::awaitable<void> HttpSession::send(std::shared_ptr<Exchange> exchange)
{
    auto& socket = connection_->socket();
    if (exchange->produce) {
        ResponseWriter out(socket, exchange->form);
        co_await exchange->produce(&out); // may find that only closing can end the body
    } else {
        socket.write(exchange->head);
        socket.write(exchange->body);
    }
    const auto error = co_await socket.room();
    static_cast<void>(error); // whoever writes next finds out
}

/// Closes so that the peer gets what it was sent: with something of its own unread, the system would reset
/// the connection and drop that.
asio::awaitable<void> HttpSession::linger()
{
    auto& socket = connection_->socket();
    const auto failed = co_await socket.flushed();
    if (failed)
        co_return;
    connection_->allow(linger_time);
    error_code ignored;
    socket.socket().shutdown(Socket::shutdown_send, ignored);
    for (std::size_t dropped = 0; dropped <= context_.options.body_bytes_max;) {
        dropped += socket.received().size();
        socket.consume(socket.received().size());
        const auto error = co_await socket.fill();
        if (error)
            break;
    }
}

void HttpSession::on_deadline()
{
    if (exchanges_.empty() || request_begun_) {
        if (!reading_ended_) // else it lingers
            context_.metrics.limits.count(time_limit());
        return connection_->abort();
    }
    connection_->allow(context_.options.http_idle_timeout); // the silence is ours: an answer is still due
}

LimitKind HttpSession::time_limit() const noexcept
{
    if (!services_.http)
        return LimitKind::handshake_time;
    return request_begun_ ? LimitKind::request_time : LimitKind::http_idle_time;
}

void HttpSession::on_stall()
{
    context_.metrics.limits.count(LimitKind::unread_time);
    connection_->abort();
}

/// Ends reading: the reader finds the end of the stream, what has been started is answered.
void HttpSession::drain()
{
    draining_ = true;
    error_code ignored;
    connection_->socket().socket().shutdown(Socket::shutdown_receive, ignored);
}

} // namespace coordination
