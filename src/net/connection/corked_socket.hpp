#pragma once

#include "net/connection/turns.hpp"
#include "net/connection/waiter.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coordination {

/// A socket that gathers. What is written is put together and sent in one system call as soon as the handlers
/// that are ready have run; what is read comes in pieces as large as the peer makes them. The system call is
/// what a small message costs: this is worth more than everything else that could be saved.
///
/// Bounds   Writing never blocks; full() says that a writer should wait for room().
/// Threads  The connection's strand, but stalled_since().
class CorkedSocket : public std::enable_shared_from_this<CorkedSocket> {
public:
    static constexpr std::size_t full_at = 256 << 10;
    static constexpr std::size_t drained_min = 64 << 10;
    using Done = Waiter<error_code>;

    explicit CorkedSocket(Socket socket);

    Socket& socket() noexcept { return socket_; }
    const Strand& strand() const noexcept { return turns_.strand(); }

    /// What has come in and was not consumed.
    std::string_view received() const noexcept { return {in_.data() + begin_, end_ - begin_}; }
    /// The same, for whoever decodes it where it lies.
    std::span<char> received_bytes() noexcept { return {in_.data() + begin_, end_ - begin_}; }
    void consume(std::size_t bytes) noexcept { begin_ += bytes; }
    /// Reads once from the socket, behind what was received.
    boost::asio::awaitable<error_code> fill();
    void fill(Done done);

    void write(std::string_view bytes);
    bool full() const noexcept { return unsent() >= full_at; }
    std::size_t unsent() const noexcept { return out_.size() + sending_.size() - sent_; }
    /// Waits while it is full.
    boost::asio::awaitable<error_code> room();
    void when_room(Done done);
    /// Waits until everything has been handed to the operating system.
    boost::asio::awaitable<error_code> flushed();
    void when_flushed(Done done);

    /// Ends the connection at once; whatever waits for it fails.
    void abort();
    bool failed() const noexcept { return failure_.failed(); }
    /// Called as soon as failed() is true: for whoever waits for something other than this socket, and would not
    /// hear of it. Replaces the one before.
    void on_failure(std::function<void()> then) { on_failure_ = std::move(then); }

    /// Steady milliseconds since which something waits and the peer has taken less than `drained_min` bytes:
    /// one that takes a byte now and then is as stalled as one that takes none. 0: it takes what there is.
    std::int64_t stalled_since() const noexcept { return stalled_since_.load(std::memory_order_relaxed); }

private:
    boost::asio::mutable_buffer space();
    void gather();
    void look_around();
    void send();
    void on_sent(error_code error, std::size_t bytes);
    void watch_from(std::int64_t millis) noexcept;
    void fail(error_code error);
    void set_failure(error_code error);
    void wake(std::vector<Done>& waiters, error_code error);

    Socket socket_;
    Turns turns_;
    error_code failure_; ///< of writing
    std::function<void()> on_failure_;

    std::vector<char> in_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;

    std::string out_;     ///< gathered, for the next send
    std::string sending_; ///< on its way
    std::size_t sent_ = 0;
    std::size_t drained_ = 0; ///< since stalled_since_
    bool sends_ = false;
    bool gathers_ = false;     ///< look_around() is queued
    bool written_ = false;     ///< since the last look at the sockets
    std::uint64_t inputs_ = 0; ///< that had come by then
    unsigned looks_ = 0;
    std::vector<Done> for_room_;
    std::vector<Done> for_flush_;
    std::atomic<std::int64_t> stalled_since_ = 0;
};

std::int64_t steady_millis() noexcept;

} // namespace coordination
