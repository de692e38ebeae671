#include "net/connection/connections.hpp"

#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace coordination {

namespace asio = boost::asio;

Connections::Connections(Strand strand, std::chrono::milliseconds stall_timeout)
    : strand_(std::move(strand)),
      stall_timeout_(stall_timeout),
      now_(steady_millis()),
      sweep_timer_(strand_),
      emptied_timer_(strand_)
{
}

std::shared_ptr<Connection> Connections::admit(Socket& socket, std::size_t connections_max)
{
    const std::lock_guard lock(mutex_);
    if (open_.size() >= connections_max)
        return nullptr;
    auto connection = std::make_shared<Connection>(std::move(socket), now_, stall_timeout_);
    open_.insert(connection);
    return connection;
}

void Connections::remove(const std::shared_ptr<Connection>& connection)
{
    const std::lock_guard lock(mutex_);
    open_.erase(connection);
    if (open_.empty())
        asio::post(strand_, [this] { emptied_timer_.cancel(); });
}

asio::awaitable<void> Connections::sweep()
{
    std::vector<std::shared_ptr<Connection>> overdue;
    while (!stopped_) {
        sweep_timer_.expires_after(sweep_interval);
        const auto [woken] = co_await sweep_timer_.async_wait(nothrow);
        if (woken)
            continue;
        const auto now = steady_millis();
        now_.store(now, std::memory_order_relaxed);
        {
            const std::lock_guard lock(mutex_);
            for (const auto& connection : open_)
                if (connection->is_overdue(now))
                    overdue.push_back(connection);
        }
        for (auto& connection : overdue) {
            const auto strand = connection->strand();
            asio::post(strand, [connection = std::move(connection)] { connection->on_overdue(); });
        }
        overdue.clear();
    }
}

void Connections::stop()
{
    stopped_ = true;
    sweep_timer_.cancel();
}

void Connections::for_each(void (Connection::*action)())
{
    const std::lock_guard lock(mutex_);
    for (const auto& connection : open_)
        asio::post(connection->strand(), [connection, action] { (*connection.*action)(); });
}

void Connections::drain_all()
{
    for_each(&Connection::drain);
}

void Connections::abort_all()
{
    for_each(&Connection::abort);
}

bool Connections::empty() const
{
    const std::lock_guard lock(mutex_);
    return open_.empty();
}

/// The last one to go posts a cancel to this strand, so it cannot come between the look and the wait.
asio::awaitable<void> Connections::emptied(std::chrono::milliseconds time_max)
{
    emptied_timer_.expires_after(time_max);
    while (!empty()) {
        const auto [woken] = co_await emptied_timer_.async_wait(nothrow);
        if (!woken)
            co_return; // the time is up
    }
}

} // namespace coordination
