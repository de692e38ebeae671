#include "persist/wal/wal_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace coordination {
namespace {

bool is_full(const DiskError& error) noexcept
{
    return error.code == ENOSPC || error.code == EDQUOT;
}

} // namespace

WalWriter::WalWriter(Disk& disk, const WalOptions& options) : disk_(disk), options_(options) {}

WalWriter::~WalWriter()
{
    static_cast<void>(stop());
}

DiskResult<void> WalWriter::start(const SegmentHeader& first, std::vector<ClosedSegment> earlier,
                                  std::function<void()> moved)
{
    auto segment = SegmentFile::create(disk_, options_.paths.log, first, {}, options_.reserve_bytes);
    if (!segment && !segment.error().may_be_there &&
        is_full(segment.error().error)) // work may end in what is left
        segment = SegmentFile::create(disk_, options_.paths.log, first, {}, 0);
    if (!segment)
        return tl::unexpected(std::move(segment.error().error));
    segment_ = std::move(*segment);
    reached_bytes_ = segment_->size();
    next_sequence_ = first.sequence + 1;
    progress_.reached = progress_.synced = first.starts_at;
    closed_ = std::move(earlier);
    moved_ = std::move(moved);
    look_for_space();
    thread_ = std::jthread([this] { run(); });
    return {};
}

tl::expected<void, std::string> WalWriter::stop()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable())
        thread_.join();
    if (failing())
        return tl::unexpected(progress_.failure);
    return {};
}

void WalWriter::append(std::string_view record, Revision last)
{
    {
        const std::lock_guard lock(mutex_);
        if (void_)
            return;
        if (waiting_.empty() || waiting_.back().then)
            waiting_.emplace_back();
        auto& batch = waiting_.back();
        batch.records += record;
        batch.last = last;
        ++batch.count;
    }
}

void WalWriter::hand_over()
{
    {
        const std::lock_guard lock(mutex_);
        handed_over_ = !waiting_.empty();
    }
    changed_.notify_one();
}

JournalProgress WalWriter::progress() const
{
    const std::lock_guard lock(mutex_);
    return progress_;
}

JournalCounters WalWriter::counters() const
{
    const std::lock_guard lock(mutex_);
    return counters_;
}

void WalWriter::rewind()
{
    {
        const std::lock_guard lock(mutex_);
        drop_waiting("the changes before the snapshot were taken back");
        void_ = false;
    }
    changed_.notify_one();
}

std::shared_ptr<WalWriter::Checkpoint> WalWriter::checkpoint(Revision revision)
{
    auto checkpoint = std::make_shared<Checkpoint>();
    {
        const std::lock_guard lock(mutex_);
        if (void_ || stopping_) {
            settle(*checkpoint, State::given_up, failing() ? progress_.failure : "the journal is closed");
            return checkpoint;
        }
        if (failing()) { // what was not reached is taken back: a snapshot may be what makes room for the log
            const bool reached = revision == progress_.reached;
            settle(*checkpoint, reached ? State::passed : State::given_up, progress_.failure);
            return checkpoint;
        }
        if (waiting_.empty() || waiting_.back().then)
            waiting_.emplace_back();
        waiting_.back().then = checkpoint;
        handed_over_ = true;
    }
    changed_.notify_one();
    return checkpoint;
}

tl::expected<void, std::string> WalWriter::await(const Checkpoint& checkpoint)
{
    {
        std::unique_lock lock(mutex_);
        passed_.wait(lock, [&] { return checkpoint.state_ != State::ahead; });
    }
    return check(checkpoint);
}

tl::expected<void, std::string> WalWriter::check(const Checkpoint& checkpoint) const
{
    const std::lock_guard lock(mutex_);
    if (checkpoint.state_ == State::given_up)
        return tl::unexpected(checkpoint.reason_);
    return {};
}

DiskResult<void> WalWriter::remove_superfluous(Revision revision)
{
    std::vector<ClosedSegment> closed;
    {
        const std::lock_guard lock(mutex_);
        closed = closed_;
    }
    bool removed_any = false;
    for (const auto& segment : closed) {
        if (segment.last > revision)
            continue;
        const auto removed = disk_.remove(segment.path);
        if (!removed)
            return removed; // the next snapshot tries again
        removed_any = true;
        const std::lock_guard lock(mutex_);
        std::erase_if(closed_, [&](const ClosedSegment& other) { return other.path == segment.path; });
    }
    if (!removed_any)
        return {};
    return disk_.sync_directory(directory_of(options_.paths.log));
}

void WalWriter::run()
{
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto now = Clock::now();
        if (has_work(now)) {
            step(lock, now);
            continue;
        }
        if (const auto deadline = next_deadline())
            changed_.wait_until(lock, *deadline);
        else
            changed_.wait(lock);
    }
    finish(lock);
}

bool WalWriter::sync_is_due(Clock::time_point now) const
{
    return segment_ && !unsynced_.empty() && now >= sync_at_;
}

bool WalWriter::space_is_due(Clock::time_point now) const
{
    return segment_ && !progress_.pressure.empty() && now >= space_at_;
}

bool WalWriter::has_work(Clock::time_point now) const
{
    if (failing())
        return segment_ ? !void_ : now >= try_again_at_;
    return handed_over_ || sync_is_due(now) || space_is_due(now);
}

std::optional<WalWriter::Clock::time_point> WalWriter::next_deadline() const
{
    if (failing())
        return segment_ ? std::nullopt : std::optional(try_again_at_);
    std::optional<Clock::time_point> next;
    if (!unsynced_.empty())
        next = sync_at_;
    if (!progress_.pressure.empty())
        next = std::min(space_at_, next.value_or(space_at_));
    return next;
}

/// The most urgent of what has_work().
void WalWriter::step(std::unique_lock<std::mutex>& lock, Clock::time_point now)
{
    if (failing()) {
        lock.unlock();
        if (segment_)
            clear_failure();
        else
            try_again();
    } else if (sync_is_due(now)) {
        lock.unlock();
        sync();
    } else if (!waiting_.empty()) {
        auto batch = std::move(waiting_.front());
        waiting_.pop_front();
        handed_over_ = !waiting_.empty();
        lock.unlock();
        write(std::move(batch));
    } else {
        lock.unlock();
        look_for_space();
    }
    lock.lock();
}

void WalWriter::finish(std::unique_lock<std::mutex>& lock)
{
    if (failing() && !segment_) {
        lock.unlock();
        try_again();
        lock.lock();
    }
    if (failing() && segment_ && !void_) {
        lock.unlock();
        clear_failure();
        lock.lock();
    }
    while (!failing() && !waiting_.empty())
        step(lock, Clock::time_point{}); // nothing else is due
    drop_waiting(progress_.failure);
    lock.unlock();
    if (segment_ && !unsynced_.empty())
        sync();
    if (segment_)
        segment_->trim(segment_->size());
    segment_.reset();
}

void WalWriter::drop_waiting(const std::string& reason)
{
    for (auto& batch : waiting_)
        if (batch.then)
            settle(*batch.then, State::given_up, reason);
    waiting_.clear();
    handed_over_ = false;
}

void WalWriter::settle(Checkpoint& checkpoint, State state, const std::string& reason)
{
    checkpoint.state_ = state;
    checkpoint.reason_ = reason;
    passed_.notify_all();
}

} // namespace coordination
