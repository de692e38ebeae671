#include "net/snapshotter.hpp"

#include "persist/snapshot/load.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

/// What the strand serialises in one go: about a tenth of a millisecond of its time.
constexpr std::size_t slice_rows = 200;
/// What is handed to the disk at a time.
constexpr std::size_t write_bytes = 1 << 20;
/// While the disk refuses, how long until it is asked again: soon enough that nobody has to.
constexpr std::chrono::milliseconds retry_after{1'000};

} // namespace

Snapshotter::Snapshotter(const DaemonOptions& options, Disk& disk, Coordinator& coordinator,
                         const Clock& clock, Metrics& metrics)
    : options_(options),
      disk_(disk),
      coordinator_(coordinator),
      clock_(clock),
      metrics_(metrics),
      strand_(asio::make_strand(coordinator.strand().get_inner_executor())),
      disk_thread_(1),
      interval_(strand_),
      turn_(strand_)
{
}

tl::expected<Revision, std::string> Snapshotter::recover(StateStore& store)
{
    if (options_.persistence == Persistence::memory_only)
        return 0;
    auto lock = DirectoryLock::take(disk_, options_.snapshot_path);
    if (!lock)
        return tl::unexpected(lock.error());
    lock_ = std::move(*lock);
    const auto loaded = load_snapshot(disk_, options_.snapshot_path, coordinator_.engine().limits(), store);
    if (!loaded)
        return tl::unexpected(loaded.error());
    if (!*loaded) {
        spdlog::info("{}: no state was saved there yet: starting empty", options_.snapshot_path);
        return 0;
    }
    for (const auto& note : (*loaded)->notes)
        spdlog::warn("{}: {}", options_.snapshot_path, note);
    spdlog::info("{}: {} workers and {} tasks at revision {}", options_.snapshot_path, store.workers().size(),
                 store.tasks().size(), (*loaded)->header.revision);
    return (*loaded)->header.revision;
}

void Snapshotter::start()
{
    if (options_.persistence != Persistence::memory_only)
        asio::co_spawn(strand_, take_periodically(), asio::detached);
}

asio::awaitable<void> Snapshotter::take_periodically()
{
    while (!finished_) {
        interval_.expires_after(failure().empty() ? options_.snapshot_interval
                                                  : std::min(retry_after, options_.snapshot_interval));
        const auto [stopped] = co_await interval_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (stopped || finished_)
            co_return;
        const auto taken = co_await take_one();
        if (!taken)
            spdlog::error("{}", taken.error().message);
    }
}

asio::awaitable<tl::expected<void, Error>> Snapshotter::take()
{
    if (options_.persistence == Persistence::memory_only)
        co_return tl::unexpected(
            Error{ErrorCode::snapshot_unavailable,
                  "persistence is memory-only: start with --persistence periodic-snapshot"});
    const auto taken = co_await asio::co_spawn(strand_, take_one(), asio::use_awaitable);
    co_return taken;
}

asio::awaitable<tl::expected<void, std::string>> Snapshotter::finish()
{
    if (options_.persistence == Persistence::memory_only)
        co_return tl::expected<void, std::string>{};
    const auto last = [this]() -> asio::awaitable<tl::expected<void, Error>> {
        finished_ = true;
        interval_.cancel();
        auto taken = co_await take_one();
        co_return taken;
    };
    const auto taken = co_await asio::co_spawn(strand_, last, asio::use_awaitable);
    if (!taken)
        co_return tl::unexpected(taken.error().message);
    co_return tl::expected<void, std::string>{};
}

/// On the own strand. What was committed before the call is in the snapshot when it returns well.
asio::awaitable<tl::expected<void, Error>> Snapshotter::take_one()
{
    while (taking_) {
        turn_.expires_at(asio::steady_timer::time_point::max());
        co_await turn_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    taking_ = true;
    const auto written = co_await write_view();
    taking_ = false;
    turn_.cancel();

    const std::string reason = written ? std::string{} : written.error();
    bool told_before = false;
    {
        const std::lock_guard lock(failure_mutex_);
        told_before = failure_ == reason;
        failure_ = reason;
    }
    if (!told_before) {
        coordinator_.refuse_work(reason);
        if (written)
            spdlog::info("{}: the state can be saved again", options_.snapshot_path);
    }
    if (!written)
        co_return tl::unexpected(Error{ErrorCode::storage_failed, reason});
    co_return tl::expected<void, Error>{};
}

asio::awaitable<tl::expected<void, std::string>> Snapshotter::write_view()
{
    const auto view = co_await coordinator_.freeze();
    if (saved_ == view->revision() && failure().empty())
        co_return tl::expected<void, std::string>{}; // nothing has changed since
    const auto now = clock_.now();
    SnapshotWriter writer(SnapshotHeader{view->revision(), now, view->totals()});
    SnapshotFile file(disk_, options_.snapshot_path);
    bool rows_left = true;
    while (rows_left) {
        while (rows_left && writer.waiting() < write_bytes)
            co_await coordinator_.read([&](const StateStore&) { rows_left = add_slice(writer, *view); });
        const auto written = co_await on_disk([&] { return file.write(writer.take()); });
        if (!written)
            co_return tl::unexpected(written.error().text());
    }
    const auto committed = co_await on_disk([&]() -> DiskResult<void> {
        bool more = true;
        while (more) {
            more = writer.finish(slice_rows);
            const auto written = file.write(writer.take());
            if (!written)
                return written;
        }
        return file.commit();
    });
    if (!committed)
        co_return tl::unexpected(committed.error().text());
    saved_ = view->revision();
    co_await coordinator_.read([&](const StateStore&) {
        ++metrics_.snapshots;
        metrics_.last_snapshot = now;
    });
    co_return tl::expected<void, std::string>{};
}

/// The next rows, on the store's strand. False when there are no more.
bool Snapshotter::add_slice(SnapshotWriter& writer, FrozenView& view)
{
    const auto add = [&writer](const auto& row) { writer.add(row); };
    return view.workers.next(slice_rows, add) || view.tasks.next(slice_rows, add);
}

/// Runs a call that blocks on the disk's thread.
template <class Call>
asio::awaitable<DiskResult<void>> Snapshotter::on_disk(Call call)
{
    const auto there = [&call]() -> asio::awaitable<DiskResult<void>> { co_return call(); };
    auto result = co_await asio::co_spawn(disk_thread_, there, asio::use_awaitable);
    co_return result;
}

std::string Snapshotter::failure() const
{
    const std::lock_guard lock(failure_mutex_);
    return failure_;
}

} // namespace coordination
