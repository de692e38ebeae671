#pragma once

#include "net/connection/connection.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

namespace coordination {

/// All that is open, and the one sweep that looks for those whose time is up.
///
/// Threads  Any, but sweep() and emptied(), which run on the strand given.
class Connections {
public:
    static constexpr std::chrono::milliseconds sweep_interval{250};

    Connections(Strand strand, std::chrono::milliseconds stall_timeout);

    /// Null where there are `connections_max` already; then the socket stays the caller's.
    std::shared_ptr<Connection> admit(Socket& socket, std::size_t connections_max);
    void remove(const std::shared_ptr<Connection>& connection);

    /// Until stop().
    boost::asio::awaitable<void> sweep();
    void stop();

    void drain_all();
    void abort_all();
    /// Waits until none is left, at most so long.
    boost::asio::awaitable<void> emptied(std::chrono::milliseconds time_max);

private:
    void for_each(void (Connection::*action)());
    bool empty() const;

    Strand strand_;
    const std::chrono::milliseconds stall_timeout_;
    std::atomic<std::int64_t> now_;
    boost::asio::steady_timer sweep_timer_;
    boost::asio::steady_timer emptied_timer_;
    bool stopped_ = false;

    mutable std::mutex mutex_;
    std::unordered_set<std::shared_ptr<Connection>> open_;
};

} // namespace coordination
