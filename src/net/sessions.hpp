#pragma once

#include "core/commands/commands.hpp"
#include "core/engine.hpp"
#include "net/fan_out.hpp"
#include "net/metrics.hpp"
#include "net/outbox.hpp"

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

namespace coordination {

/// The open connections: for which worker each speaks, what it follows, and the way to it.
///
/// Threads  The store's strand.
class Sessions {
public:
    /// `on_strand` runs a function on the store's strand.
    Sessions(const WatchBounds& watching, Metrics& metrics, FanOut::Post on_strand) noexcept
        : fan_out_(watching, metrics.watching, std::move(on_strand)),
          metrics_(metrics)
    {
    }

    void open(SessionId session, std::shared_ptr<Outbox> outbox);
    /// The worker that it spoke for; empty: none.
    WorkerId close(SessionId session);
    void close_all() noexcept;

    /// Empty: none registered over it, or it is not open.
    WorkerId worker_of(SessionId session) const;
    void bind(SessionId session, const WorkerId& worker);
    /// Another connection speaks for its worker now.
    void supersede(SessionId session);

    void follow(SessionId session, const Subscription& subscription, std::optional<Revision> since);

    /// Tells everyone who follows them, and remembers them for those who ask later.
    void publish(std::span<Change> changes);
    /// Tells a worker of its lease. If its connection has just gone, the lease runs out, or it comes back and
    /// is told again.
    void send(const Delivery& delivery);

    FanOut& fan_out() noexcept { return fan_out_; }

private:
    struct Session {
        std::shared_ptr<Outbox> outbox;
        WorkerId worker;
    };

    void count_followers();

    FanOut fan_out_;
    Metrics& metrics_;
    std::unordered_map<SessionId, Session> open_;
};

} // namespace coordination
