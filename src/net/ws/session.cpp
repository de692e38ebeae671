#include "net/ws/session.hpp"

#include "net/ws/frame.hpp"
#include "net/ws/protocol.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <exception>
#include <utility>

namespace coordination {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

namespace {

constexpr std::size_t kept_buffer_bytes_max = 64 << 10;

/// A message on its way through the coordinator, or the refusal of one that cannot be carried out, which
/// takes its turn like the others. The reply goes into the outbox on the store's strand, so that the order on
/// the socket is the order of execution.
class WsCall final : public Call {
public:
    using Wanted = tl::expected<ws::ReplyForm, std::string>; ///< how to answer, or what

    WsCall(Wanted wanted, wire::Rhythm rhythm, std::shared_ptr<Outbox> outbox,
           std::shared_ptr<WsSession::Calls> calls)
        : wanted_(std::move(wanted)),
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
        if (!reply_.empty())
            outbox_->push(std::move(reply_), Outbox::Kind::reply);
        if (calls_->under_way.fetch_sub(1) >= WsSession::calls_max)
            calls_->reader->notify();
    }

private:
    Wanted wanted_;
    wire::Rhythm rhythm_;
    std::shared_ptr<Outbox> outbox_;
    std::shared_ptr<WsSession::Calls> calls_;
    std::string reply_;
};

} // namespace

WsSession::WsSession(std::shared_ptr<Connection> connection, ServerContext& context)
    : connection_(std::move(connection)),
      context_(context),
      stream_(CorkedStream(connection_->shared_socket())),
      writer_(std::make_shared<Wakeup>(connection_->strand())),
      reader_(std::make_shared<Wakeup>(connection_->strand())),
      calls_(std::make_shared<Calls>())
{
    calls_->reader = reader_;
    connection_->set_session(this);
}

WsSession::~WsSession()
{
    connection_->set_session(nullptr);
    if (open_)
        --context_.metrics.websockets;
}

asio::awaitable<void> WsSession::run(HttpRequest request)
{
    connection_->allow(context_.options.handshake_timeout);
    stream_.read_message_max(context_.options.frame_bytes_max);
    const auto [error] = co_await stream_.async_accept(request, nothrow);
    if (error) {
        const auto unsent = co_await connection_->socket().flushed();
        static_cast<void>(unsent);
        co_return; // Beast has told the peer what is wrong
    }
    open_ = true;
    ++context_.metrics.websockets;
    stream_.control_callback([this](websocket::frame_type, beast::string_view) { heard(); });
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
    if (verdict_)
        co_await close(*verdict_);
    const auto unsent = co_await connection_->socket().flushed();
    static_cast<void>(unsent); // it is gone
}

asio::awaitable<void> WsSession::read_messages()
{
    beast::flat_buffer message;
    for (;;) {
        const auto [error, bytes] = co_await stream_.async_read(message, nothrow);
        if (error)
            co_return; // closed, or against the protocol or a limit: Beast has told the peer which
        heard();
        if (!stream_.got_text()) {
            verdict_ = CloseCode::unknown_data; // 1003
            co_return;
        }
        const auto data = message.cdata();
        take({static_cast<const char*>(data.data()), data.size()});
        message.clear();
        if (message.capacity() > kept_buffer_bytes_max)
            message.shrink_to_fit();
        while (must_wait())
            co_await reader_->wait();
        if (writing_ended_)
            co_return;
    }
}

bool WsSession::must_wait() const noexcept
{
    return !writing_ended_ && (calls_->under_way.load() >= calls_max ||
                               outbox_->reply_bytes() > context_.options.outbox_bytes_max / 2);
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
        wanted = tl::unexpected(std::move(message.error()));
    }
    calls_->under_way.fetch_add(1);
    context_.coordinator.submit(
        std::move(action), session_,
        std::make_unique<WsCall>(std::move(wanted), context_.rhythm(), outbox_, calls_));
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
            co_return co_await self->close(CloseCode::going_away);
        case Outbox::Close::superseded:
            co_return co_await self->close(CloseCode::policy_error);
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

/// One frame each, behind what Beast has written: it writes its own frames whole.
void WsSession::send(const std::vector<Frame>& frames)
{
    if (frames.empty())
        return;
    const bool open = stream_.is_open();
    auto& count = open ? context_.metrics.frames.delivered : context_.metrics.frames.dropped;
    count.fetch_add(frames.size(), std::memory_order_relaxed);
    if (!open)
        return;
    auto& socket = connection_->socket();
    char header[10];
    for (const auto& frame : frames) {
        socket.write(ws::frame_header(ws::text_frame, frame->size(), header));
        socket.write(*frame);
    }
}

asio::awaitable<void> WsSession::close(CloseCode code)
{
    if (std::exchange(closing_, true))
        co_return;
    connection_->allow(context_.options.handshake_timeout); // for the peer's part of it
    const auto [error] = co_await stream_.async_close(code, nothrow);
    static_cast<void>(error); // it did not play its part: closed all the same
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
    if (!open_ || closing_ || std::exchange(pinged_, true) || !stream_.is_open())
        return connection_->abort();
    char header[10];
    connection_->socket().write(ws::frame_header(ws::ping_frame, 0, header));
    connection_->allow(context_.options.ws_idle_timeout / 2);
}

void WsSession::drain()
{
    if (outbox_)
        outbox_->close(Outbox::Close::going_away);
    else
        connection_->abort();
}

} // namespace coordination
