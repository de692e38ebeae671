#pragma once

#include "net/connection/connection.hpp"
#include "net/connection/wakeup.hpp"
#include "net/http/routes.hpp"
#include "net/outbox.hpp"
#include "net/server_context.hpp"
#include "net/ws/frame_reader.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coordination {

/// A WebSocket. Beast makes the handshake; then frames are read where they lie in the corked socket's buffer, all
/// that one read brought in before the next, and frames to the peer are gathered into it, all that wait in one write.
///
/// Bounds   Under way at most `calls_max` messages, of about `call_bytes_max` bytes, and half an outbox of replies,
///          those expected included; then it stops reading.
/// Threads  The connection's strand.
class WsSession final : public Session, public std::enable_shared_from_this<WsSession> {
public:
    static constexpr std::size_t calls_max = 128;

    WsSession(std::shared_ptr<Connection> connection, ServerContext& context);
    ~WsSession() override;

    /// From the handshake to the end.
    boost::asio::awaitable<void> run(HttpRequest request);

    void on_deadline() override;
    void on_stall() override;
    void drain() override;

    /// Calls under way, and the reader that waits where there are too many.
    struct Calls {
        std::atomic<std::size_t> under_way = 0;
        std::atomic<std::size_t> bytes = 0; ///< of these
        std::atomic<std::size_t> reply_bytes =
            0; ///< what one may bring: about the largest of the latest ones
        std::shared_ptr<Wakeup> reader;
    };

private:
    using CloseCode = ws::CloseCode;

    boost::asio::awaitable<bool> shake_hands(HttpRequest request);
    boost::asio::awaitable<void> read_messages();
    bool obey(const ws::FrameReader::Step& step);
    void take(std::string_view text);
    bool must_wait() const noexcept;
    boost::asio::awaitable<void> await_answers();
    static boost::asio::awaitable<void> write_frames(std::shared_ptr<WsSession> self);
    boost::asio::awaitable<void> wait_for_room();
    void send(const std::vector<Frame>& frames);
    void write_frame(unsigned char opcode, std::string_view payload);
    void close(CloseCode code);
    boost::asio::awaitable<void> linger();
    void heard() noexcept;

    std::shared_ptr<Connection> connection_;
    ServerContext& context_;
    std::shared_ptr<Wakeup> writer_;
    std::shared_ptr<Wakeup> reader_;
    std::shared_ptr<Calls> calls_;
    std::shared_ptr<Outbox> outbox_;
    SessionId session_ = 0;
    std::string own_worker_;           ///< the worker that registered here first: a connection speaks for one
    std::optional<CloseCode> verdict_; ///< why the reader stopped, where it was not the peer
    bool open_ = false;
    bool room_asked_ = false;
    bool pinged_ = false;
    bool closing_ = false; ///< our close frame is on its way: nothing follows it
    bool reading_ended_ = false;
    bool writing_ended_ = false;
};

} // namespace coordination
