#include "persist/snapshot_journal.hpp"

#include "persist/snapshot/snapshot_file.hpp"
#include "persist/wal/recover.hpp"
#include "persist/wal/segment_file.hpp"

#include <utility>

namespace coordination {

class SnapshotJournal::Sink final : public SnapshotSink {
public:
    Sink(SnapshotJournal& journal, Revision revision)
        : journal_(journal),
          revision_(revision),
          begun_(std::chrono::steady_clock::now()),
          file_(journal.disk_, journal.paths_.snapshot)
    {
    }

    tl::expected<void, std::string> write(std::string_view text) override
    {
        const auto written = file_.write(text);
        if (written)
            return {};
        return journal_.note(written);
    }

    tl::expected<void, std::string> commit() override
    {
        const auto committed = file_.commit().and_then([this] { return journal_.remove_log(); });
        if (committed)
            journal_.saved(revision_, begun_);
        return journal_.note(committed);
    }

private:
    SnapshotJournal& journal_;
    Revision revision_;
    std::chrono::steady_clock::time_point begun_;
    SnapshotFile file_;
};

SnapshotJournal::SnapshotJournal(Disk& disk, StatePaths paths, const Limits& limits)
    : disk_(disk),
      paths_(std::move(paths)),
      limits_(limits)
{
}

tl::expected<Recovery, std::string> SnapshotJournal::recover(StateStore& store)
{
    auto lock = DirectoryLock::take(disk_, paths_.snapshot);
    if (!lock)
        return tl::unexpected(std::move(lock.error()));
    snapshot_lock_ = std::move(*lock);
    const auto segments = list_segments(disk_, paths_.log);
    if (!segments)
        return tl::unexpected(segments.error().text());
    if (!segments->empty()) {
        lock = DirectoryLock::take(disk_, paths_.log);
        if (!lock)
            return tl::unexpected(std::move(lock.error()));
        log_lock_ = std::move(*lock);
    }
    auto state = recover_state(disk_, paths_, limits_, store);
    if (!state)
        return tl::unexpected(std::move(state.error()));
    for (const auto& segment : state->segments)
        log_.push_back(segment.name.path);
    if (!state->segments.empty())
        next_sequence_ = state->segments.back().name.sequence + 1;
    recovered_ = std::move(state->recovery);
    recovered_.may_have_lost = true;
    return recovered_;
}

/// Where there is a log, it must tell of the revisions that we may give out before the first snapshot
/// replaces it: whoever reads it later would give them out again.
tl::expected<void, std::string> SnapshotJournal::open(Revision revision, std::function<void()> moved)
{
    if (!log_.empty()) {
        const auto told = SegmentFile::create(disk_, paths_.log,
                                              {next_sequence_, recovered_.revision, revision, false}, {}, 0);
        if (!told)
            return tl::unexpected(told.error().error.text());
        log_.push_back(told->path());
    }
    moved_ = std::move(moved);
    progress_.reached = revision;
    progress_.synced = recovered_.revision;
    return {};
}

void SnapshotJournal::append(std::span<const Change> changes)
{
    if (changes.empty())
        return;
    const std::lock_guard lock(mutex_);
    progress_.reached = changes.back().revision;
    if (!progress_.unsynced_since)
        progress_.unsynced_since = std::chrono::steady_clock::now();
}

JournalProgress SnapshotJournal::progress() const
{
    const std::lock_guard lock(mutex_);
    return progress_;
}

JournalCounters SnapshotJournal::counters() const
{
    JournalCounters counters;
    counters.tails_cut = recovered_.tail_cut ? 1 : 0;
    return counters;
}

std::unique_ptr<SnapshotSink> SnapshotJournal::put_snapshot(Revision revision)
{
    return std::make_unique<Sink>(*this, revision);
}

tl::expected<void, std::string> SnapshotJournal::close()
{
    log_lock_.reset();
    snapshot_lock_.reset();
    return {};
}

/// A snapshot holds all that the log does.
DiskResult<void> SnapshotJournal::remove_log()
{
    if (log_.empty())
        return {};
    while (!log_.empty()) {
        const auto removed =
            disk_.remove(log_.front()); // oldest first: what is left still follows the snapshot
        if (!removed)
            return removed;
        log_.erase(log_.begin());
    }
    return disk_.sync_directory(directory_of(paths_.log));
}

/// What came since the snapshot was begun is not older than that.
void SnapshotJournal::saved(Revision revision, std::chrono::steady_clock::time_point begun)
{
    const std::lock_guard lock(mutex_);
    progress_.synced = revision;
    progress_.unsynced_since.reset();
    if (progress_.reached > revision)
        progress_.unsynced_since = begun;
}

/// What the last snapshot came to is the pressure.
tl::expected<void, std::string> SnapshotJournal::note(const DiskResult<void>& outcome)
{
    const std::string pressure = outcome ? std::string{} : outcome.error().text();
    {
        const std::lock_guard lock(mutex_);
        progress_.pressure = pressure;
    }
    moved_();
    if (!outcome)
        return tl::unexpected(pressure);
    return {};
}

} // namespace coordination
