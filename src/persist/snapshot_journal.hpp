#pragma once

#include "persist/directory_lock.hpp"
#include "persist/journal.hpp"
#include "persist/wal/read_state.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace coordination {

/// The periodic-snapshot strategy: changes are kept in memory, and saved by a snapshot from time to time.
/// While one fails there is `pressure`.
///
/// Ownership  The disk, and no snapshot on its way, may outlive it.
class SnapshotJournal final : public Journal {
public:
    SnapshotJournal(Disk& disk, StatePaths paths, const Limits& limits);

    Durability level() const noexcept override { return Durability::memory; }
    /// Also reads the log of a process that had another strategy; the first snapshot then replaces it.
    tl::expected<Recovery, std::string> recover(StateStore& store) override;
    tl::expected<void, std::string> open(Revision revision, std::function<void()> moved) override;
    void append(std::span<const Change> changes) override;
    void hand_over() override {}
    JournalProgress progress() const override;
    JournalCounters counters() const override;
    void rewind() override {}
    bool wants_snapshot() const override { return false; }
    std::unique_ptr<SnapshotSink> put_snapshot(Revision revision) override;
    tl::expected<void, std::string> close() override;

private:
    class Sink;

    void saved(Revision revision, std::chrono::steady_clock::time_point begun);
    DiskResult<void> remove_log();
    tl::expected<void, std::string> note(const DiskResult<void>& outcome);

    Disk& disk_;
    StatePaths paths_;
    Limits limits_;
    std::optional<DirectoryLock> snapshot_lock_;
    std::optional<DirectoryLock> log_lock_; ///< where there is a log
    Recovery recovered_;
    std::vector<std::string> log_; ///< paths of its segments
    std::uint64_t next_sequence_ = 1;
    std::function<void()> moved_;

    mutable std::mutex mutex_; ///< guards what follows
    JournalProgress progress_;
};

} // namespace coordination
