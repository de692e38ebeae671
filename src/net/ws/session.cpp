#include "net/ws/session.hpp"

#include "net/connection/corked_stream.hpp"
#include "net/ws/frame.hpp"
#include "net/ws/protocol.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace coordination {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr std::chrono::milliseconds linger_time{2'000};

/// A message on its way through the coordinator, or the refusal of one that cannot be carried out, which
/// takes its turn like the others. The reply goes into the outbox on the store's strand, so that the order on
/// the socket is the order of execution.
class WsCall final : public Call {
public:
    using Wanted = tl::expected<ws::ReplyForm, std::string>; ///< how to answer, or what

    WsCall(Wanted wanted, std::size_t bytes, wire::Rhythm rhythm, std::shared_ptr<Outbox> outbox,
           std::shared_ptr<WsSession::Calls> calls)
        : wanted_(std::move(wanted)),
          bytes_(bytes),
          rhythm_(rhythm),
          outbox_(std::move(outbox)),
          calls_(std::move(calls))
    {
    }

    void render(const Result& result, const StateStore& state, const ReplyContext& context) override
    {
        reply_ =
            wanted_ ? ws::write_reply(*wanted_, rhythm_, result, state, context) : std::move(wanted_.error());
    }

    void deliver() override
    {
        const auto expected = calls_->reply_bytes.load();
        calls_->reply_bytes = std::max(reply_.size(), expected - expected / 8);
        if (!reply_.empty())
            outbox_->push(std::move(reply_), Outbox::Kind::reply);
        calls_->bytes.fetch_sub(bytes_);
        calls_->under_way.fetch_sub(1);
        calls_->reader->notify();
    }

private:
    Wanted wanted_;
    std::size_t bytes_; ///< of the message
    wire::Rhythm rhythm_;
    std::shared_ptr<Outbox> outbox_;
    std::shared_ptr<WsSession::Calls> calls_;
    std::string reply_;
};

} // namespace

WsSession::WsSession(std::shared_ptr<Connection> connection, ServerContext& context)
    : connection_(std::move(connection)),
      context_(context),
      writer_(std::make_shared<Wakeup>(connection_->strand())),
      reader_(std::make_shared<Wakeup>(connection_->strand())),
      calls_(std::make_shared<Calls>())
{
    calls_->reader = reader_;
    calls_->reply_bytes = context_.options.outbox_bytes_max / 32; // until it is known
    connection_->set_session(this);
    connection_->socket().on_failure([writer = writer_] { writer->notify(); });
}

WsSession::~WsSession()
{
    connection_->set_session(nullptr);
    if (open_)
        --context_.metrics.websockets;
}

asio::awaitable<bool> WsSession::shake_hands(HttpRequest request)
{
    connection_->allow(context_.options.handshake_timeout);
    beast::websocket::stream<CorkedStream, false> stream{CorkedStream(connection_->shared_socket())};
    const auto [error] = co_await stream.async_accept(request, nothrow);
    co_return !error; // Beast has told the peer what is wrong
}

asio::awaitable<void> WsSession::run(HttpRequest request)
{
    open_ = co_await shake_hands(std::move(request));
    if (!open_) {
        const auto unsent = co_await connection_->socket().flushed();
        static_cast<void>(unsent);
        co_return;
    }
    ++context_.metrics.websockets;
    heard();
    outbox_ = std::make_shared<Outbox>(
        context_.options.outbox_bytes_max, [writer = writer_] { writer->notify(); }, context_.metrics.frames);
    session_ = context_.coordinator.attach(outbox_);
    asio::co_spawn(connection_->strand(), write_frames(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr& bug) {
                       self->writing_ended_ = true;
                       self->reader_->notify();
                       if (bug)
                           std::rethrow_exception(bug);
                   });

    co_await read_messages();
    reading_ended_ = true;
    writer_->notify();
    while (!writing_ended_)
        co_await reader_->wait();
    context_.coordinator.detach(session_);
    outbox_->detach();
    if (verdict_) {
        close(*verdict_);
        co_await linger();
    }
    const auto unsent = co_await connection_->socket().flushed();
    static_cast<void>(unsent); // it is gone
}

/// Until the peer has closed or has gone, or has broken the protocol or a limit.
asio::awaitable<void> WsSession::read_messages()
{
    auto& socket = connection_->socket();
    ws::FrameReader frames(context_.options.frame_bytes_max);
    for (;;) {
        const auto step = frames.next(socket.received_bytes());
        if (step.found == ws::FrameReader::Found::nothing && step.used == 0) {
            const auto error = co_await socket.fill();
            if (error)
                co_return;
            heard();
            continue;
        }
        const bool goes_on = obey(step);
        socket.consume(step.used);
        if (!goes_on)
            co_return;
        if (must_wait())
            co_await await_answers();
        if (writing_ended_ && !closing_)
            co_return;
    }
}

/// The peer may have said much meanwhile that was not read: that time does not count as its silence.
asio::awaitable<void> WsSession::await_answers()
{
    context_.metrics.limits.count(LimitKind::calls_under_way);
    if (!closing_)
        connection_->allow_for_ever();
    while (must_wait())
        co_await reader_->wait();
    heard();
}

/// False where nothing is to be read any more.
bool WsSession::obey(const ws::FrameReader::Step& step)
{
    using Found = ws::FrameReader::Found;
    switch (step.found) {
    case Found::nothing:
    case Found::pong:
        return true;
    case Found::text:
        if (!closing_)
            take(step.payload);
        return true;
    case Found::ping:
        if (!closing_ && !connection_->socket().full()) // else an answer to a later one will do
            write_frame(ws::pong_frame, step.payload);
        return true;
    case Found::close:
        close(step.code);
        return false;
    case Found::failure:
        verdict_ = step.code;
        if (step.code == CloseCode::too_big)
            context_.metrics.limits.count(LimitKind::frame_bytes);
        return false;
    }
    __builtin_unreachable();
}

bool WsSession::must_wait() const noexcept
{
    const auto under_way = calls_->under_way.load();
    const auto unsent = outbox_->reply_bytes();
    const auto most = context_.options.outbox_bytes_max / 2;
    return !writing_ended_ &&
           (under_way >= calls_max || unsent > most || // one alone may be a claim that waits for long
            (under_way > 1 && calls_->bytes.load() > context_.options.call_bytes_max) ||
            (under_way > 1 && unsent + under_way * calls_->reply_bytes.load() > most));
}

void WsSession::take(std::string_view text)
{
    context_.metrics.frames_received.fetch_add(1, std::memory_order_relaxed);
    auto message = ws::read_message(text, context_.bounds(), own_worker_);
    Action action;
    WsCall::Wanted wanted;
    if (message) {
        if (message->form.kind == ws::MessageKind::registration && own_worker_.empty())
            own_worker_ = message->form.subject.worker;
        action = std::move(message->action);
        wanted = std::move(message->form);
    } else {
        context_.metrics.limits.count(message.error().code);
        wanted = tl::unexpected(std::move(message.error().text));
    }
    calls_->under_way.fetch_add(1);
    calls_->bytes.fetch_add(text.size());
    context_.coordinator.submit(
        std::move(action), session_,
        std::make_unique<WsCall>(std::move(wanted), text.size(), context_.rhythm(), outbox_, calls_));
}

asio::awaitable<void> WsSession::write_frames(std::shared_ptr<WsSession> self)
{
    auto& socket = self->connection_->socket();
    while (!socket.failed()) {
        if (socket.full() && !self->outbox_->overflowed()) {
            co_await self->wait_for_room();
            continue;
        }
        const auto batch = self->outbox_->take();
        self->send(batch.frames);
        switch (batch.close) {
        case Outbox::Close::no:
            break;
        case Outbox::Close::going_away:
            co_return self->close(CloseCode::going_away);
        case Outbox::Close::superseded:
            co_return self->close(CloseCode::policy_error);
        case Outbox::Close::overflow:
            ++self->context_.metrics.slow_consumers;
            co_return self->connection_->abort();
        }
        if (self->reading_ended_)
            co_return;
        if (batch.frames.empty())
            co_await self->writer_->wait();
        else
            self->reader_->notify(); // it may have waited for this
    }
}

/// Or until something else is to be done.
asio::awaitable<void> WsSession::wait_for_room()
{
    if (!std::exchange(room_asked_, true))
        connection_->socket().when_room(CorkedSocket::Done([self = shared_from_this()](error_code) {
            self->room_asked_ = false;
            self->writer_->notify();
        }));
    co_await writer_->wait();
}

void WsSession::send(const std::vector<Frame>& frames)
{
    if (frames.empty())
        return;
    auto& count = closing_ ? context_.metrics.frames.dropped : context_.metrics.frames.delivered;
    count.fetch_add(frames.size(), std::memory_order_relaxed);
    if (closing_)
        return;
    for (const auto& frame : frames)
        write_frame(ws::text_frame, *frame);
}

void WsSession::write_frame(unsigned char opcode, std::string_view payload)
{
    char header[10];
    auto& socket = connection_->socket();
    socket.write(ws::frame_header(opcode, payload.size(), header));
    socket.write(payload);
}

/// Says that nothing follows, and gives the peer time for its part of it.
void WsSession::close(CloseCode code)
{
    if (std::exchange(closing_, true))
        return;
    const auto number = static_cast<unsigned>(code);
    const char payload[] = {static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
    write_frame(ws::close_frame, {payload, code == CloseCode::no_status ? 0 : sizeof payload});
    connection_->allow(context_.options.handshake_timeout);
}

/// So that the peer hears why: with something of its own unread, the system would reset the connection and drop what
/// was sent.
asio::awaitable<void> WsSession::linger()
{
    auto& socket = connection_->socket();
    const auto failed = co_await socket.flushed();
    if (failed)
        co_return;
    connection_->allow(linger_time);
    error_code ignored;
    socket.socket().shutdown(Socket::shutdown_send, ignored);
    for (std::size_t dropped = 0; dropped <= context_.options.outbox_bytes_max;) {
        dropped += socket.received().size();
        socket.consume(socket.received().size());
        const auto error = co_await socket.fill();
        if (error)
            break;
    }
}

/// Any frame is a sign of life. Half of the silence that is allowed is left to the peer, then it is asked.
void WsSession::heard() noexcept
{
    pinged_ = false;
    if (!closing_)
        connection_->allow(context_.options.ws_idle_timeout / 2);
}

void WsSession::on_deadline()
{
    if (!open_ || closing_ || std::exchange(pinged_, true)) {
        if (!closing_)
            context_.metrics.limits.count(open_ ? LimitKind::ws_idle_time : LimitKind::handshake_time);
        return connection_->abort();
    }
    write_frame(ws::ping_frame, {});
    connection_->allow(context_.options.ws_idle_timeout / 2);
}

void WsSession::on_stall()
{
    context_.metrics.limits.count(LimitKind::unread_time);
    connection_->abort();
}

void WsSession::drain()
{
    if (outbox_)
        outbox_->close(Outbox::Close::going_away);
    else
        connection_->abort();
}

} // namespace coordination
