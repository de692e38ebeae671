#include "net/daemon.hpp"

#include "net/clock.hpp"
#include "net/coordinator.hpp"
#include "net/metrics.hpp"
#include "net/server.hpp"
#include "net/snapshotter.hpp"
#include "persist/posix_disk.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

Limits limits_of(const DaemonOptions& options)
{
    Limits limits;
    limits.tasks_per_worker_max = static_cast<std::uint32_t>(options.max_tasks_per_worker);
    limits.heartbeat_timeout = options.heartbeat_timeout;
    limits.crash_limit = static_cast<std::uint32_t>(options.crash_limit);
    return limits;
}

/// A start may have forgotten the latest revisions (all of them, or those after the last snapshot), which
/// clients may have seen. A million for each millisecond of wall time is more than any daemon hands out, so a
/// revision made from the time lies beyond all given out before; and below 2^53, up to which JavaScript
/// counts, until the year 2255. Should the wall clock have gone back, the saved revision and a margin still
/// lead upwards.
Revision next_epoch(Revision saved, Timestamp now)
{
    constexpr Revision per_millisecond = 1'000;
    constexpr Revision margin = 1'000'000'000;
    const auto from_time = static_cast<Revision>(to_millis(now)) * per_millisecond;
    return std::max(from_time, saved == 0 ? 0 : saved + margin);
}

} // namespace

class Daemon::Running {
public:
    Running(asio::io_context& io, DaemonOptions options)
        : options_(std::move(options)),
          coordinator_(io.get_executor(), limits_of(options_), options_.watch_bytes_max, clock_, metrics_),
          snapshotter_(options_, disk_, coordinator_, clock_, metrics_),
          server_(io.get_executor(), options_, coordinator_, metrics_, clock_,
                  {.health = [this] { return health(); }, .snapshot = [this] { return snapshotter_.take(); }})
    {
        metrics_.started_at = clock_.now();
    }

    tl::expected<Endpoints, std::string> start()
    {
        auto saved = snapshotter_.recover(coordinator_.engine().store());
        if (!saved)
            return tl::unexpected(saved.error());
        const auto endpoints = server_.listen();
        if (!endpoints)
            return endpoints;
        const auto now = clock_.now();
        const auto revision = next_epoch(*saved, now);
        coordinator_.engine().resume(revision, now);
        coordinator_.fan_out().start_after(revision);
        asio::co_spawn(coordinator_.strand(), coordinator_.watch_leases(), asio::detached);
        snapshotter_.start();
        server_.start();
        return endpoints;
    }

    asio::awaitable<tl::expected<void, std::string>> shutdown()
    {
        draining_ = true;
        co_await server_.shutdown();
        co_await coordinator_.stop();
        const auto saved = co_await snapshotter_.finish();
        co_return saved;
    }

private:
    Health health() const
    {
        if (draining_)
            return {"draining", "the daemon is stopping"};
        if (const auto failure = snapshotter_.failure(); !failure.empty())
            return {"degraded", failure};
        return {"healthy", {}};
    }

    DaemonOptions options_;
    SystemClock clock_;
    Metrics metrics_;
    PosixDisk disk_;
    Coordinator coordinator_;
    Snapshotter snapshotter_;
    Server server_;
    std::atomic<bool> draining_ = false;
};

Daemon::Daemon(asio::io_context& io, DaemonOptions options)
    : running_(std::make_unique<Running>(io, std::move(options)))
{
}

Daemon::~Daemon() = default;

tl::expected<Endpoints, std::string> Daemon::start()
{
    return running_->start();
}

asio::awaitable<tl::expected<void, std::string>> Daemon::shutdown()
{
    return running_->shutdown();
}

} // namespace coordination
