#pragma once

#include "net/connection/corked_socket.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace coordination {

/// What is spoken over a connection at the moment. Called on the connection's strand.
class Session {
public:
    virtual ~Session() = default;
    /// The time that it set has passed.
    virtual void on_deadline() = 0;
    /// The peer has taken too little of what waits for it, for too long.
    virtual void on_stall() = 0;
    /// The daemon stops: finish what is under way, then end.
    virtual void drain() = 0;
};

/// One client's TCP connection, with one deadline instead of a timer: setting it costs a store, and a sweep
/// over all connections a few times a second finds those whose time is up.
///
/// Threads  Its strand, but is_overdue().
class Connection : public std::enable_shared_from_this<Connection> {
public:
    /// `now` are steady milliseconds as of the latest sweep.
    Connection(Socket socket, const std::atomic<std::int64_t>& now, std::chrono::milliseconds stall_timeout);

    CorkedSocket& socket() noexcept { return *socket_; }
    const std::shared_ptr<CorkedSocket>& shared_socket() const noexcept { return socket_; }
    const Strand& strand() const noexcept { return socket_->strand(); }

    void set_session(Session* session) noexcept { session_ = session; }

    /// Not before `time` has passed, and at most two sweeps later, the session is told.
    /// Replaces the deadline before.
    void allow(std::chrono::milliseconds time) noexcept;
    void allow_for_ever() noexcept { deadline_.store(never, std::memory_order_relaxed); }

    bool is_overdue(std::int64_t now) const noexcept;
    void on_overdue();
    void drain();
    void abort() { socket_->abort(); }

private:
    static constexpr std::int64_t never = INT64_MAX;

    bool is_stalled(std::int64_t now) const noexcept;

    std::shared_ptr<CorkedSocket> socket_;
    const std::atomic<std::int64_t>& now_;
    const std::int64_t stall_timeout_;
    std::atomic<std::int64_t> deadline_ = never;
    Session* session_ = nullptr;
};

} // namespace coordination
