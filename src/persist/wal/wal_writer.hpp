#pragma once

#include "persist/journal.hpp"
#include "persist/wal/segment_file.hpp"
#include "persist/wal/segments.hpp"
#include "persist/wal/wal_options.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace coordination {

/// A segment that is written no more; superfluous once a snapshot holds its last revision.
struct ClosedSegment {
    std::string path;
    Revision last = 0;
};

/// Writes the log, in a thread of its own: all that waits in one write, and one sync for all of it.
///
/// Failure  A segment in which a write or a sync failed is never written or relied on again beyond what was
///          synced: after a failed sync the kernel may have dropped the pages and a second one succeed
///          nevertheless. What had been reached but not synced is kept in memory, and the segment that
///          follows begins with it.
/// Threads  Any, but for start() and stop().
class WalWriter {
public:
    /// A place in the log, behind which a new segment begins: a snapshot makes all before it superfluous.
    class Checkpoint;

    WalWriter(Disk& disk, const WalOptions& options);
    ~WalWriter();
    WalWriter(const WalWriter&) = delete;
    WalWriter& operator=(const WalWriter&) = delete;

    /// Makes the first segment and starts the thread. `earlier`: what an earlier process has left.
    DiskResult<void> start(const SegmentHeader& first, std::vector<ClosedSegment> earlier,
                           std::function<void()> moved);
    /// Makes the rest durable.
    tl::expected<void, std::string> stop();

    /// A record without its checksum. Dropped while what was appended is void.
    void append(std::string_view record, Revision last);
    /// What was appended is on its way from now on.
    void hand_over();
    JournalProgress progress() const;
    JournalCounters counters() const;
    /// What was appended and not reached is gone; what comes next follows what was.
    void rewind();

    /// `revision`: the latest that was appended. While the log fails, and what it did not reach was taken
    /// back, the place counts as passed at once: it would stay ahead for as long as the disk is full.
    std::shared_ptr<Checkpoint> checkpoint(Revision revision);
    /// Blocks until all before it is on the disk, or it is certain that it will not be.
    tl::expected<void, std::string> await(const Checkpoint& checkpoint);
    /// An error where that is certain by now.
    tl::expected<void, std::string> check(const Checkpoint& checkpoint) const;
    /// Removes the segments that hold nothing beyond `revision`, oldest first.
    DiskResult<void> remove_superfluous(Revision revision);

private:
    using Clock = std::chrono::steady_clock;
    enum class State { ahead, passed, given_up };
    struct Batch {
        std::string records;
        std::uint64_t count = 0;
        Revision last = 0;
        std::shared_ptr<Checkpoint> then; ///< comes behind the records
    };

    bool synced_first() const noexcept { return options_.sync_interval.count() == 0; }
    bool failing() const noexcept { return !progress_.failure.empty(); }

    void run();
    bool has_work(Clock::time_point now) const;
    std::optional<Clock::time_point> next_deadline() const;
    bool sync_is_due(Clock::time_point now) const;
    bool space_is_due(Clock::time_point now) const;
    void step(std::unique_lock<std::mutex>& lock, Clock::time_point now);
    void finish(std::unique_lock<std::mutex>& lock);

    // On the thread, without the mutex.
    void write(Batch batch);
    void reach(Revision last, bool synced);
    void sync();
    void pass(Checkpoint& checkpoint);
    bool follow_on();
    void look_for_space();
    void try_again();
    void clear_failure();
    void fail(const DiskError& error, Checkpoint* lost = nullptr);

    // With the mutex held.
    void drop_waiting(const std::string& reason);
    void settle(Checkpoint& checkpoint, State state, const std::string& reason);

    Disk& disk_;
    const WalOptions& options_;
    std::function<void()> moved_;

    mutable std::mutex mutex_; ///< guards these:
    std::condition_variable changed_;
    std::condition_variable passed_; ///< a checkpoint
    std::deque<Batch> waiting_;
    JournalProgress progress_; ///< written by the thread alone
    JournalCounters counters_;
    std::vector<ClosedSegment> closed_;
    bool handed_over_ = false;
    bool void_ = false; ///< since a failure, until rewind()
    bool stopping_ = false;

    // The thread's own:
    std::optional<SegmentFile> segment_; ///< none: abandoned
    std::uint64_t next_sequence_ = 0;
    std::uint64_t reached_bytes_ = 0; ///< of the segment
    std::string unsynced_;            ///< records that were reached, in case they have to be written again
    Clock::time_point sync_at_;       ///< means something while there are such
    Clock::time_point try_again_at_;  ///< while failing
    Clock::time_point space_at_;      ///< not before: set aside more space, or follow on
    std::jthread thread_;
};

class WalWriter::Checkpoint {
    friend class WalWriter;
    State state_ = State::ahead; ///< guarded by the writer
    std::string reason_;
};

} // namespace coordination
