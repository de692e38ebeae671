#include "net/running.hpp"

#include "net/rethrow.hpp"
#include "persist/memory_journal.hpp"
#include "persist/snapshot_journal.hpp"
#include "persist/wal/wal_journal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

Limits limits_of(const DaemonOptions& options)
{
    Limits limits;
    limits.tasks_max = options.tasks_max;
    limits.workers_max = options.workers_max;
    limits.tasks_per_worker_max = static_cast<std::uint32_t>(options.max_tasks_per_worker);
    limits.heartbeat_timeout = options.heartbeat_timeout;
    limits.crash_limit = static_cast<std::uint32_t>(options.crash_limit);
    limits.aging = options.aging;
    limits.cancel_grace = options.cancel_grace;
    limits.keep_ended_for = options.keep_ended_for;
    limits.keep_ended_count = options.keep_ended_count;
    limits.keep_ended_bytes = options.keep_ended_bytes;
    limits.bus.queue_messages_max = options.max_queue_size;
    limits.bus.queue_bytes_max = options.max_queue_bytes;
    limits.bus.ack_timeout = options.ack_timeout;
    limits.bus.message_ttl = options.message_ttl;
    limits.bus.dedup_window = options.dedup_window;
    limits.bus.dedup_count = options.dedup_count;
    limits.bus.dead_letters_max = options.dead_letters_max;
    limits.bus.processing_interval = options.processing_interval;
    for (const auto& text : options.max_running)
        if (auto limit = running_limit_in(text))
            limits.running_limits.push_back(std::move(*limit));
    return limits;
}

std::unique_ptr<Journal> journal_for(const DaemonOptions& options, Disk& disk)
{
    const StatePaths paths{.snapshot = options.snapshot_path, .log = options.wal_path};
    switch (options.persistence) {
    case Persistence::memory_only:
        return std::make_unique<MemoryJournal>();
    case Persistence::periodic_snapshot:
        return std::make_unique<SnapshotJournal>(disk, paths, limits_of(options));
    case Persistence::write_ahead_log:
        break;
    }
    WalOptions wal;
    wal.paths = paths;
    wal.limits = limits_of(options);
    wal.sync_interval = options.wal_sync_interval;
    return std::make_unique<WalJournal>(disk, std::move(wal));
}

/// A start may have forgotten the latest revisions (all of them, or those after the last snapshot), which
/// clients may have seen. A thousand for each millisecond, a million a second, is more than any daemon hands
/// out, so a revision made from the time lies beyond all given out before; and below 2^53, up to which
/// JavaScript counts, until the year 2255. Should the wall clock have gone back, the saved revision and a
/// margin still lead upwards.
Revision next_epoch(Revision saved, Timestamp now)
{
    constexpr Revision per_millisecond = 1'000;
    constexpr Revision margin = 1'000'000'000;
    const auto from_time = static_cast<Revision>(to_millis(now)) * per_millisecond;
    return std::max(from_time, saved == 0 ? 0 : saved + margin);
}

} // namespace

Running::Running(asio::io_context& io, const DaemonOptions& options, std::shared_ptr<EventHub> events)
    : options_(options),
      clock_(options.clock ? options.clock : std::make_shared<SystemClock>()),
      journal_(journal_for(options_, disk_)),
      coordinator_(strand_on(io.get_executor(), options_.run_by), limits_of(options_),
                   {options_.watch_bytes_max, options_.subscription_bytes_max}, *clock_, metrics_, *journal_),
      snapshotter_(io.get_executor(), options_, *journal_, coordinator_, *clock_, metrics_),
      event_source_(std::move(events))
{
    if (options_.listen)
        server_.emplace(io.get_executor(), options_, coordinator_, metrics_, *clock_,
                        ServerHooks{.health = [this] { return health(); },
                                    .snapshot = [this] { return snapshotter_.take(); }});
    metrics_.started_at = clock_->now();
    metrics_.journal = journal_.get();
    coordinator_.on_changes([this](std::span<const Change> changes) { event_source_.take(changes); });
}

Running::~Running()
{
    // Without a shutdown() its thread is still at work, and tells the coordinator, which goes first.
    static_cast<void>(journal_->close());
}

tl::expected<Endpoints, std::string> Running::start(bool manual)
{
    const auto recovered = recover();
    if (!recovered)
        return tl::unexpected(recovered.error());
    const auto endpoints = server_ ? server_->listen() : Endpoints{};
    if (!endpoints)
        return endpoints;
    const auto now = clock_->now();
    const auto revision =
        recovered->may_have_lost ? next_epoch(recovered->revision, now) : recovered->revision;
    const auto opened = journal_->open(revision, [this] { coordinator_.journal_moved(); });
    if (!opened)
        return tl::unexpected(opened.error());
    coordinator_.engine().resume(revision, now);
    coordinator_.fan_out().start_after(revision);
    if (manual) {
        coordinator_.go_by_hand();
    } else {
        asio::co_spawn(coordinator_.strand(), coordinator_.watch_leases(), rethrow);
        snapshotter_.start();
    }
    asio::co_spawn(coordinator_.strand(), coordinator_.deliver_messages(), rethrow);
    if (server_)
        server_->start();
    return endpoints;
}

asio::awaitable<tl::expected<void, std::string>> Running::shutdown()
{
    draining_ = true;
    co_await coordinator_.end_waiting(); // nobody else would end what the server waits for
    if (server_)
        co_await server_->shutdown();
    co_await coordinator_.settled();
    co_await coordinator_.stop();
    const auto saved = co_await snapshotter_.finish();
    const auto closed = journal_->close();
    co_return saved ? closed : saved;
}

asio::awaitable<std::optional<Timestamp>> Running::catch_up()
{
    const auto leases = co_await coordinator_.catch_up();
    const auto snapshot = co_await snapshotter_.catch_up();
    if (!leases || !snapshot)
        co_return leases ? leases : snapshot;
    co_return std::min(*leases, *snapshot);
}

void Running::begin_events()
{
    asio::post(coordinator_.strand(), [self = shared_from_this()] {
        self->event_source_.begin(self->coordinator_.engine().store());
    });
}

tl::expected<Recovery, std::string> Running::recover()
{
    auto& store = coordinator_.engine().store();
    const auto recovered = journal_->recover(store);
    if (!recovered)
        return recovered;
    for (const auto& note : recovered->notes)
        spdlog::warn("{}", note);
    if (options_.persistence != Persistence::memory_only)
        spdlog::info("recovered {} workers and {} tasks at revision {}", store.workers().size(),
                     store.tasks().size(), recovered->revision);
    return recovered;
}

Health Running::health() const
{
    const auto progress = journal_->progress();
    Health health{.status = "healthy", .reason = {}, .synced = progress.synced, .oldest_unsynced = {}};
    if (progress.unsynced_since)
        health.oldest_unsynced = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - *progress.unsynced_since);
    for (const auto& reason : {progress.failure, progress.pressure, snapshotter_.failure()})
        if (health.reason.empty())
            health.reason = reason;
    if (draining_)
        health.reason = "the daemon is stopping";
    if (!health.reason.empty())
        health.status = draining_ ? "draining" : "degraded";
    return health;
}

} // namespace coordination
