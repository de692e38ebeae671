#pragma once

#include "persist/directory_lock.hpp"
#include "persist/journal.hpp"
#include "persist/wal/wal_options.hpp"
#include "persist/wal/wal_writer.hpp"

#include <atomic>
#include <optional>
#include <string>

namespace coordination {

/// The write-ahead-log strategy: every change is written to a log before it counts, synced before that or at
/// intervals, and a snapshot from time to time bounds the log.
///
/// Ownership  The disk, and no snapshot on its way, may outlive it.
class WalJournal final : public Journal {
public:
    WalJournal(Disk& disk, WalOptions options);

    Durability level() const noexcept override;
    tl::expected<Recovery, std::string> recover(StateStore& store) override;
    tl::expected<void, std::string> open(Revision revision, std::function<void()> moved) override;
    void append(std::span<const Change> changes) override;
    void hand_over() override { writer_.hand_over(); }
    JournalProgress progress() const override;
    JournalCounters counters() const override;
    void rewind() override;
    /// By the size of the log since the last one, begun or read: half as large as the last snapshot, or as
    /// the options say, whichever is more. So neither writing snapshots nor reading the log back gets out of
    /// hand.
    bool wants_snapshot() const override;
    std::unique_ptr<SnapshotSink> put_snapshot(Revision revision) override;
    tl::expected<void, std::string> close() override;

private:
    class Sink;

    Disk& disk_;
    WalOptions options_;
    std::optional<DirectoryLock> snapshot_lock_;
    std::optional<DirectoryLock> log_lock_;
    Recovery recovered_;
    std::vector<SegmentOnDisk> earlier_;
    std::string record_; ///< kept for its memory
    std::uint64_t gathered_bytes_ = 0;
    std::atomic<std::uint64_t> snapshot_bytes_ = 0;
    WalWriter writer_;
};

} // namespace coordination
