#include "net/connection/corked_socket.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

constexpr std::size_t read_bytes_min = 4 << 10; ///< enough for most; many connections are mostly silent
constexpr std::size_t read_bytes_max = 64 << 10;
constexpr std::size_t send_at = 64 << 10; ///< enough gathered: more would only make the first ones late
constexpr unsigned looks_max = 8;

} // namespace

std::int64_t steady_millis() noexcept
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

CorkedSocket::CorkedSocket(Socket socket) : socket_(std::move(socket)), turns_(socket_.get_executor()) {}

/// Room to read into. It grows as the peer fills it.
asio::mutable_buffer CorkedSocket::space()
{
    if (begin_ == end_)
        begin_ = end_ = 0;
    if (in_.empty())
        in_.resize(read_bytes_min);
    if (end_ == in_.size() && begin_ > 0) {
        std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }
    if (end_ == in_.size())
        in_.resize(in_.size() * 4);
    return asio::buffer(in_.data() + end_, in_.size() - end_);
}

void CorkedSocket::fill(Done done)
{
    const auto into = space();
    socket_.async_read_some(into, [self = shared_from_this(), into,
                                   done = std::move(done)](error_code error, std::size_t bytes) mutable {
        self->end_ += bytes;
        self->turns_.note_input();
        if (bytes == into.size() && self->in_.size() < read_bytes_max && self->begin_ == 0 &&
            self->end_ == bytes)
            self->in_.resize(self->in_.size() * 4);
        std::move(done)(error);
    });
}

asio::awaitable<error_code> CorkedSocket::fill()
{
    const auto start = [this](auto handler) { fill(Done(std::move(handler))); };
    const auto [error] = co_await asio::async_initiate<decltype(nothrow), void(error_code)>(start, nothrow);
    co_return error;
}

void CorkedSocket::write(std::string_view bytes)
{
    if (failed())
        return;
    out_ += bytes;
    written_ = true;
    gather();
}

void CorkedSocket::gather()
{
    if (sends_ || std::exchange(gathers_, true))
        return;
    asio::post(strand(), [self = shared_from_this()] { self->look_around(); });
}

/// Behind what the sockets have brought since it was queued. As long as they bring more, or what they brought makes
/// the handlers write, it queues again: under load a send then carries the answers to all of it.
void CorkedSocket::look_around()
{
    const auto inputs = turns_.inputs();
    const bool more = std::exchange(inputs_, inputs) != inputs;
    if ((std::exchange(written_, false) || more) && out_.size() < send_at && ++looks_ < looks_max)
        return asio::post(strand(), [self = shared_from_this()] { self->look_around(); });
    gathers_ = false;
    looks_ = 0;
    if (!failed() && !out_.empty())
        send();
}

void CorkedSocket::send()
{
    if (!sends_) {
        sends_ = true;
        sending_.swap(out_);
        sent_ = 0;
        if (stalled_since() == 0)
            watch_from(steady_millis());
    }
    const auto rest = asio::buffer(sending_.data() + sent_, sending_.size() - sent_);
    socket_.async_write_some(rest, [self = shared_from_this()](error_code error, std::size_t bytes) {
        self->on_sent(error, bytes);
    });
}

void CorkedSocket::on_sent(error_code error, std::size_t bytes)
{
    if (error)
        return fail(error);
    sent_ += bytes;
    drained_ += bytes;
    if (drained_ >= drained_min)
        watch_from(steady_millis());
    if (sent_ < sending_.size()) {
        send();
    } else {
        sends_ = false;
        sent_ = 0;
        sending_.clear();
        if (sending_.capacity() > full_at)
            sending_.shrink_to_fit(); // a burst should not cost its memory for ever
        if (out_.empty())
            watch_from(0);
        else
            gather();
    }
    if (!full())
        wake(for_room_, {});
    if (unsent() == 0)
        wake(for_flush_, {});
}

void CorkedSocket::watch_from(std::int64_t millis) noexcept
{
    drained_ = 0;
    stalled_since_.store(millis, std::memory_order_relaxed);
}

void CorkedSocket::fail(error_code error)
{
    sends_ = false;
    sent_ = 0;
    out_.clear();
    sending_.clear();
    watch_from(0);
    set_failure(error);
    abort();
    wake(for_room_, error);
    wake(for_flush_, error);
}

void CorkedSocket::set_failure(error_code error)
{
    failure_ = error;
    if (on_failure_)
        on_failure_();
}

void CorkedSocket::wake(std::vector<Done>& waiters, error_code error)
{
    for (auto& waiter : std::exchange(waiters, {}))
        std::move(waiter)(error);
}

void CorkedSocket::when_room(Done done)
{
    for_room_.push_back(std::move(done));
    if (failed() || !full())
        asio::post(strand(), [self = shared_from_this()] { self->wake(self->for_room_, self->failure_); });
}

void CorkedSocket::when_flushed(Done done)
{
    for_flush_.push_back(std::move(done));
    if (failed() || unsent() == 0)
        asio::post(strand(), [self = shared_from_this()] { self->wake(self->for_flush_, self->failure_); });
}

asio::awaitable<error_code> CorkedSocket::room()
{
    if (failed() || !full())
        co_return failure_;
    const auto start = [this](auto handler) { when_room(Done(std::move(handler))); };
    const auto [error] = co_await asio::async_initiate<decltype(nothrow), void(error_code)>(start, nothrow);
    co_return error;
}

asio::awaitable<error_code> CorkedSocket::flushed()
{
    if (failed() || unsent() == 0)
        co_return failure_;
    const auto start = [this](auto handler) { when_flushed(Done(std::move(handler))); };
    const auto [error] = co_await asio::async_initiate<decltype(nothrow), void(error_code)>(start, nothrow);
    co_return error;
}

void CorkedSocket::abort()
{
    error_code ignored;
    socket_.close(ignored);
    // A send under way fails by itself and comes to fail(); else nobody would tell the writers.
    if (!sends_ && !failed()) {
        out_.clear();
        set_failure(asio::error::operation_aborted);
        asio::post(strand(), [self = shared_from_this()] {
            self->wake(self->for_room_, self->failure_);
            self->wake(self->for_flush_, self->failure_);
        });
    }
}

} // namespace coordination
