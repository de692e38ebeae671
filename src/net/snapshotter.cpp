#include "net/snapshotter.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
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
/// How often it is seen whether a snapshot is due, be it for its age, because the journal asks or because the
/// last one failed: soon enough that nobody has to.
constexpr std::chrono::milliseconds look_each{1'000};

} // namespace

Snapshotter::Snapshotter(const asio::any_io_executor& executor, const DaemonOptions& options,
                         Journal& journal, Coordinator& coordinator, const Clock& clock, Metrics& metrics)
    : options_(options),
      journal_(journal),
      coordinator_(coordinator),
      clock_(clock),
      metrics_(metrics),
      strand_(strand_on(executor, options.run_by)),
      writer_thread_(1),
      interval_(strand_),
      turn_(strand_, asio::steady_timer::time_point::max()), // set once: to set it again would wake who waits
      taken_at_(clock.now())
{
}

void Snapshotter::start()
{
    if (options_.persistence != Persistence::memory_only)
        asio::co_spawn(strand_, take_periodically(), rethrow);
}

asio::awaitable<void> Snapshotter::take_periodically()
{
    while (!finished_) {
        const auto due_in = taken_at_ + options_.snapshot_interval - clock_.now();
        interval_.expires_after(std::clamp(due_in, std::chrono::milliseconds{1}, look_each));
        const auto [stopped] = co_await interval_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (stopped)
            co_return;
        co_await take_if_due();
    }
}

asio::awaitable<void> Snapshotter::take_if_due()
{
    if (finished_)
        co_return;
    const bool due = clock_.now() - taken_at_ >= options_.snapshot_interval;
    bool wanted = false;
    co_await coordinator_.read([&](const StateStore&) { wanted = journal_.wants_snapshot(); });
    const auto told = failure();
    if (finished_ || (!due && !wanted && told.empty()))
        co_return;
    const auto taken = co_await take_one(false);
    if (!taken && taken.error().message != told)
        spdlog::error("{}", taken.error().message);
}

asio::awaitable<std::optional<Timestamp>> Snapshotter::catch_up()
{
    if (options_.persistence == Persistence::memory_only)
        co_return std::nullopt;
    std::optional<Timestamp> next;
    const auto on_own_strand = [this, &next]() -> asio::awaitable<void> {
        co_await take_if_due();
        if (!finished_)
            next = taken_at_ + options_.snapshot_interval;
    };
    co_await asio::co_spawn(strand_, on_own_strand, asio::use_awaitable);
    co_return next;
}

asio::awaitable<tl::expected<void, Error>> Snapshotter::take()
{
    if (options_.persistence == Persistence::memory_only)
        co_return tl::unexpected(
            Error{ErrorCode::snapshot_unavailable,
                  "persistence is memory-only: start with --persistence periodic-snapshot"});
    const auto taken = co_await asio::co_spawn(strand_, take_one(true), asio::use_awaitable);
    co_return taken;
}

asio::awaitable<tl::expected<void, std::string>> Snapshotter::finish()
{
    if (options_.persistence == Persistence::memory_only)
        co_return tl::expected<void, std::string>{};
    const auto last = [this]() -> asio::awaitable<tl::expected<void, Error>> {
        finished_ = true;
        interval_.cancel();
        auto taken = co_await take_one(false);
        co_return taken;
    };
    const auto taken = co_await asio::co_spawn(strand_, last, asio::use_awaitable);
    if (!taken)
        co_return tl::unexpected(taken.error().message);
    co_return tl::expected<void, std::string>{};
}

/// On the own strand. What was committed before the call is in the snapshot when it returns well.
asio::awaitable<tl::expected<void, Error>> Snapshotter::take_one(bool unchanged_too)
{
    while (taking_)
        co_await turn_.async_wait(asio::as_tuple(asio::use_awaitable));
    taking_ = true;
    const auto written = co_await write_view(unchanged_too);
    taking_ = false;
    turn_.cancel();

    const std::string reason = written ? std::string{} : written.error();
    {
        const std::lock_guard lock(failure_mutex_);
        failure_ = reason;
    }
    if (!written)
        co_return tl::unexpected(Error{ErrorCode::storage_failed, reason});
    co_return tl::expected<void, Error>{};
}

asio::awaitable<tl::expected<void, std::string>> Snapshotter::write_view(bool unchanged_too)
{
    const auto now = clock_.now();
    Revision present = 0;
    co_await coordinator_.read([&present](const StateStore& state) { present = state.revision(); });
    if (!unchanged_too && saved_ == present && failure().empty()) {
        taken_at_ = now;
        co_return tl::expected<void, std::string>{}; // nothing has changed since
    }
    auto snapshot = co_await coordinator_.begin_snapshot();
    auto& view = *snapshot.view;
    SnapshotWriter writer(SnapshotHeader{view.revision(), now, view.totals()});
    bool rows_left = true;
    while (rows_left) {
        while (rows_left && writer.waiting() < write_bytes)
            co_await coordinator_.read([&](const StateStore&) { rows_left = add_slice(writer, view); });
        const auto written = co_await blocking([&] { return snapshot.sink->write(writer.take()); });
        if (!written)
            co_return written;
    }
    const auto committed = co_await blocking([&]() -> tl::expected<void, std::string> {
        bool more = true;
        while (more) {
            more = writer.finish(slice_rows);
            const auto written = snapshot.sink->write(writer.take());
            if (!written)
                return written;
        }
        return snapshot.sink->commit();
    });
    if (!committed)
        co_return committed;
    saved_ = view.revision();
    taken_at_ = now;
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
    return view.workers.next(slice_rows, add) || view.tasks.next(slice_rows, add) ||
           view.messages.next(slice_rows, add);
}

/// Runs a call that may block on the writer thread.
template <class Call>
asio::awaitable<tl::expected<void, std::string>> Snapshotter::blocking(Call call)
{
    const auto there = [&call]() -> asio::awaitable<tl::expected<void, std::string>> { co_return call(); };
    auto result = co_await asio::co_spawn(writer_thread_, there, asio::use_awaitable);
    co_return result;
}

std::string Snapshotter::failure() const
{
    const std::lock_guard lock(failure_mutex_);
    return failure_;
}

} // namespace coordination
