// What the writer's thread does with the disk. The mutex is not held, but to tell others.

#include "persist/wal/wal_writer.hpp"

#include <utility>

namespace coordination {

void WalWriter::write(Batch batch)
{
    if (batch.count > 0) {
        seal_records(batch.records, progress_.synced);
        auto written = segment_->write(batch.records);
        if (written && synced_first())
            written = segment_->sync();
        if (!written) {
            fail(written.error(), batch.then.get());
            return;
        }
        reached_bytes_ = segment_->size();
        {
            const std::lock_guard lock(mutex_);
            counters_.writes += batch.count;
            counters_.bytes += batch.records.size();
        }
        if (!synced_first()) {
            if (unsynced_.empty())
                sync_at_ = Clock::now() + options_.sync_interval;
            unsynced_ += batch.records;
        }
        reach(batch.last, synced_first());
    }
    if (batch.then)
        pass(*batch.then);
    else if (segment_->size() >= options_.segment_bytes && Clock::now() >= space_at_)
        follow_on();
    if (segment_)
        look_for_space();
}

void WalWriter::reach(Revision last, bool synced)
{
    {
        const std::lock_guard lock(mutex_);
        progress_.reached = last;
        if (!synced && !progress_.unsynced_since)
            progress_.unsynced_since = Clock::now();
        if (synced) {
            progress_.synced = last;
            progress_.unsynced_since.reset();
            ++counters_.syncs;
            counters_.last_sync = std::chrono::system_clock::now();
        }
    }
    moved_();
}

void WalWriter::sync()
{
    const auto synced = segment_->sync();
    if (!synced) {
        fail(synced.error());
        return;
    }
    unsynced_.clear();
    reach(progress_.reached, true);
}

/// All before the checkpoint has been written; now it is synced, and as a rule a new segment follows. Where
/// it cannot, for want of space, the old one goes on, and the next snapshot rids us of it.
void WalWriter::pass(Checkpoint& checkpoint)
{
    const bool good = !segment_->used() || follow_on();
    const std::lock_guard lock(mutex_);
    settle(checkpoint, good ? State::passed : State::given_up, progress_.failure);
}

/// Syncs the segment and begins the next. False where that has ended in a failure.
bool WalWriter::follow_on()
{
    if (!unsynced_.empty())
        sync();
    if (!segment_)
        return false;
    const auto synced = progress_.synced;
    auto next =
        SegmentFile::create(disk_, options_.paths.log, {next_sequence_, synced, synced, synced_first()}, {},
                            options_.reserve_bytes);
    if (!next && next.error().may_be_there) {
        // After a crash it might be found, and void what the old segment got since.
        ++next_sequence_;
        fail(next.error().error);
        return false;
    }
    if (!next) {
        space_at_ = Clock::now() + options_.retry_after;
        return true;
    }
    ++next_sequence_;
    segment_->trim(segment_->size());
    {
        const std::lock_guard lock(mutex_);
        closed_.push_back({segment_->path(), synced});
    }
    segment_ = std::move(*next);
    reached_bytes_ = segment_->size();
    return true;
}

/// Keeps space set aside for what comes. While there is none, only work that ends should come.
void WalWriter::look_for_space()
{
    std::string pressure;
    if (segment_->reserved() < segment_->size() + options_.reserve_bytes / 2) {
        const auto now = Clock::now();
        if (!progress_.pressure.empty() && now < space_at_)
            return;
        const auto reserved = segment_->reserve(segment_->size() + options_.reserve_bytes);
        if (!reserved) {
            pressure = reserved.error().text();
            space_at_ = now + options_.retry_after;
        }
    }
    {
        const std::lock_guard lock(mutex_);
        if (progress_.pressure == pressure)
            return;
        progress_.pressure = std::move(pressure);
    }
    moved_();
}

/// A fresh segment in place of the abandoned one. It begins with what had been reached and not synced.
void WalWriter::try_again()
{
    const auto synced = progress_.synced;
    auto next =
        SegmentFile::create(disk_, options_.paths.log, {next_sequence_, synced, synced, synced_first()},
                            unsynced_, options_.reserve_bytes);
    if (next || next.error().may_be_there)
        ++next_sequence_;
    if (!next) {
        try_again_at_ = Clock::now() + options_.retry_after;
        const std::lock_guard lock(mutex_);
        progress_.failure = next.error().error.text();
        return;
    }
    segment_ = std::move(*next);
    reached_bytes_ = segment_->size();
    unsynced_.clear();
    reach(progress_.reached, true);
}

/// A fresh segment is there, and the owner has taken back what was void.
void WalWriter::clear_failure()
{
    {
        const std::lock_guard lock(mutex_);
        progress_.failure.clear();
        progress_.pressure.clear();
    }
    moved_();
}

/// `lost`: a checkpoint that was not reached, beside those that wait.
void WalWriter::fail(const DiskError& error, Checkpoint* lost)
{
    segment_->trim(reached_bytes_); // what was refused should not be found after a crash
    const auto reason = error.text();
    {
        const std::lock_guard lock(mutex_);
        closed_.push_back({segment_->path(), progress_.reached});
        progress_.failure = reason;
        void_ = true;
        if (lost)
            settle(*lost, State::given_up, reason);
        drop_waiting(reason);
    }
    segment_.reset();
    try_again_at_ = Clock::now() + options_.retry_after;
    moved_();
}

} // namespace coordination
