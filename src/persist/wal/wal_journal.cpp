#include "persist/wal/wal_journal.hpp"

#include "persist/snapshot/snapshot_file.hpp"
#include "persist/wal/changes.hpp"
#include "persist/wal/recover.hpp"

#include <algorithm>
#include <utility>

namespace coordination {

/// Takes the old snapshot's place only once it is certain that nothing which it holds will be taken back: the
/// log holds it too, or had reached it before it failed.
class WalJournal::Sink final : public SnapshotSink {
public:
    Sink(WalJournal& journal, Revision revision)
        : journal_(journal),
          revision_(revision),
          checkpoint_(journal.writer_.checkpoint(revision)),
          file_(journal.disk_, journal.options_.paths.snapshot)
    {
    }

    tl::expected<void, std::string> write(std::string_view text) override
    {
        const auto good = journal_.writer_.check(*checkpoint_);
        if (!good)
            return good; // a full disk is not filled further by what will come to nothing
        bytes_ += text.size();
        return file_.write(text).map_error([](const DiskError& error) { return error.text(); });
    }

    tl::expected<void, std::string> commit() override
    {
        const auto passed = journal_.writer_.await(*checkpoint_);
        if (!passed)
            return passed;
        journal_.snapshot_bytes_ = bytes_;
        return file_.commit()
            .and_then([this] { return journal_.writer_.remove_superfluous(revision_); })
            .map_error([](const DiskError& error) { return error.text(); });
    }

private:
    WalJournal& journal_;
    Revision revision_;
    std::shared_ptr<WalWriter::Checkpoint> checkpoint_;
    SnapshotFile file_;
    std::uint64_t bytes_ = 0;
};

WalJournal::WalJournal(Disk& disk, WalOptions options)
    : disk_(disk),
      options_(std::move(options)),
      writer_(disk, options_)
{
}

Durability WalJournal::level() const noexcept
{
    return options_.sync_interval.count() == 0 ? Durability::disk : Durability::os;
}

tl::expected<Recovery, std::string> WalJournal::recover(StateStore& store)
{
    for (const auto& [path, lock] :
         {std::pair(&options_.paths.snapshot, &snapshot_lock_), std::pair(&options_.paths.log, &log_lock_)}) {
        auto taken = DirectoryLock::take(disk_, *path);
        if (!taken)
            return tl::unexpected(std::move(taken.error()));
        *lock = std::move(*taken);
    }
    auto state = recover_state(disk_, options_.paths, options_.limits, store);
    if (!state)
        return tl::unexpected(std::move(state.error()));
    recovered_ = state->recovery;
    earlier_ = std::move(state->segments);
    gathered_bytes_ = state->log_bytes;
    return recovered_;
}

tl::expected<void, std::string> WalJournal::open(Revision revision, std::function<void()> moved)
{
    std::vector<ClosedSegment> closed;
    for (const auto& segment : earlier_)
        closed.push_back({segment.name.path, recovered_.revision});
    const SegmentHeader first{.sequence = earlier_.empty() ? 1 : earlier_.back().name.sequence + 1,
                              .continues_from = recovered_.revision,
                              .starts_at = revision,
                              .synced_first = level() == Durability::disk};
    return writer_.start(first, std::move(closed), std::move(moved)).map_error([](const DiskError& error) {
        return error.text();
    });
}

void WalJournal::append(std::span<const Change> changes)
{
    if (changes.empty())
        return;
    record_.clear();
    append_record_of(record_, changes);
    gathered_bytes_ += record_.size();
    writer_.append(record_, changes.back().revision);
}

JournalProgress WalJournal::progress() const
{
    return writer_.progress();
}

JournalCounters WalJournal::counters() const
{
    auto counters = writer_.counters();
    counters.tails_cut = recovered_.tail_cut ? 1 : 0;
    return counters;
}

void WalJournal::rewind()
{
    writer_.rewind();
}

bool WalJournal::wants_snapshot() const
{
    return gathered_bytes_ > std::max(options_.snapshot_after, snapshot_bytes_ / 2);
}

/// A snapshot that fails is tried again when as much has gathered once more, or when its owner's timer says.
std::unique_ptr<SnapshotSink> WalJournal::put_snapshot(Revision revision)
{
    gathered_bytes_ = 0;
    return std::make_unique<Sink>(*this, revision);
}

tl::expected<void, std::string> WalJournal::close()
{
    auto stopped = writer_.stop();
    log_lock_.reset();
    snapshot_lock_.reset();
    return stopped;
}

} // namespace coordination
