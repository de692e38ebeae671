#pragma once

#include "net/clock.hpp"
#include "net/coordinator.hpp"
#include "net/embed/event_source.hpp"
#include "net/endpoints.hpp"
#include "net/metrics.hpp"
#include "net/options.hpp"
#include "net/server.hpp"
#include "net/snapshotter.hpp"
#include "persist/posix_disk.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <tl/expected.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace coordination {

/// A daemon from a start to the stop that follows: state, persistence, ports.
///
/// Use      start() before anyone runs the io_context, or on one of its threads; shutdown() to its end before it is
///          destroyed.
/// Threads  Those of the io_context.
class Running : public std::enable_shared_from_this<Running> {
public:
    Running(boost::asio::io_context& io, const DaemonOptions& options, std::shared_ptr<EventHub> events);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    /// `manual`: the clock has catch_up() called, so nothing waits for it.
    tl::expected<Endpoints, std::string> start(bool manual);
    boost::asio::awaitable<tl::expected<void, std::string>> shutdown();

    /// Does what is due by the clock, and tells when something is due next.
    boost::asio::awaitable<std::optional<Timestamp>> catch_up();
    /// Somebody listens to events. From any thread.
    void begin_events();

    Coordinator& coordinator() noexcept { return coordinator_; }
    Metrics& metrics() noexcept { return metrics_; }

private:
    tl::expected<Recovery, std::string> recover();
    Health health() const;

    const DaemonOptions options_;
    const std::shared_ptr<Clock> clock_;
    Metrics metrics_;
    PosixDisk disk_;
    std::unique_ptr<Journal> journal_;
    Coordinator coordinator_;
    Snapshotter snapshotter_;
    std::optional<Server> server_; ///< none: no ports
    EventSource event_source_;
    std::atomic<bool> draining_ = false;
};

} // namespace coordination
