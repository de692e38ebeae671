#include "net/connection/connection.hpp"

#include "net/connection/connections.hpp"

#include <utility>

namespace coordination {

Connection::Connection(Socket socket, const std::atomic<std::int64_t>& now,
                       std::chrono::milliseconds stall_timeout)
    : socket_(std::make_shared<CorkedSocket>(std::move(socket))),
      now_(now),
      stall_timeout_(stall_timeout.count())
{
}

void Connection::allow(std::chrono::milliseconds time) noexcept
{
    // The clock may be behind by one sweep: never early.
    const auto at = now_.load(std::memory_order_relaxed) + (time + Connections::sweep_interval).count();
    deadline_.store(at, std::memory_order_relaxed);
}

bool Connection::is_stalled(std::int64_t now) const noexcept
{
    const auto since = socket_->stalled_since();
    return since != 0 && now - since > stall_timeout_;
}

bool Connection::is_overdue(std::int64_t now) const noexcept
{
    return deadline_.load(std::memory_order_relaxed) <= now || is_stalled(now);
}

void Connection::on_overdue()
{
    const auto now = now_.load(std::memory_order_relaxed);
    if (is_stalled(now))
        return session_ ? session_->on_stall() : abort();
    if (deadline_.load(std::memory_order_relaxed) > now)
        return; // renewed in between
    allow_for_ever();
    if (session_)
        session_->on_deadline();
    else
        abort();
}

void Connection::drain()
{
    if (session_)
        session_->drain();
    else
        abort();
}

} // namespace coordination
