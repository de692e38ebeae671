#include "net/outbox.hpp"

#include <utility>

namespace coordination {

Outbox::Outbox(std::size_t bytes_max, std::function<void()> wake, FrameCounters& counters)
    : bytes_max_(bytes_max),
      wake_(std::move(wake)),
      counters_(counters)
{
}

std::size_t Outbox::bound_of(Kind kind) const noexcept
{
    constexpr std::size_t bodies = 16;
    return kind == Kind::message ? bytes_max_ : bodies * bytes_max_;
}

void Outbox::push(Frame frame, Kind kind)
{
    std::unique_lock lock(mutex_);
    if (takes_none(1))
        return;
    const auto waiting = bytes_[static_cast<std::size_t>(kind)];
    const bool fits = waiting == 0 || waiting + frame->size() <= bound_of(kind);
    add(std::move(frame), kind);
    if (!fits)
        overflow();
    wake_writer(std::move(lock));
}

bool Outbox::push_change(const Frame& frame, std::size_t budget)
{
    std::unique_lock lock(mutex_);
    const auto waiting = bytes_[static_cast<std::size_t>(Kind::change)];
    if (close_ == Close::no && waiting > 0 && waiting + frame->size() > budget)
        return false;
    if (takes_none(1))
        return true;
    add(frame, Kind::change);
    wake_writer(std::move(lock));
    return true;
}

void Outbox::push_changes(std::vector<Frame> frames)
{
    std::unique_lock lock(mutex_);
    if (takes_none(frames.size()))
        return;
    for (auto& frame : frames)
        add(std::move(frame), Kind::change);
    wake_writer(std::move(lock));
}

bool Outbox::takes_none(std::size_t frames)
{
    counters_.queued += frames;
    if (close_ == Close::no)
        return false;
    counters_.dropped += frames;
    return true;
}

void Outbox::add(Frame frame, Kind kind)
{
    auto& waiting = bytes_[static_cast<std::size_t>(kind)];
    waiting += frame->size();
    if (kind == Kind::reply)
        reply_bytes_.store(waiting, std::memory_order_relaxed);
    frames_.push_back(std::move(frame));
}

void Outbox::none_waits() noexcept
{
    bytes_ = {};
    reply_bytes_.store(0, std::memory_order_relaxed);
}

void Outbox::when_taken(std::function<void()> then, Kind kind)
{
    std::unique_lock lock(mutex_);
    if (!frames_.empty()) {
        when_taken_[static_cast<std::size_t>(kind)] = std::move(then);
        return;
    }
    const bool taken = close_ == Close::no; // already; or it never will be
    lock.unlock();
    if (taken)
        then();
}

void Outbox::close(Close reason)
{
    std::unique_lock lock(mutex_);
    if (close_ != Close::no && reason != Close::overflow)
        return;
    if (reason == Close::overflow)
        overflow();
    else
        close_ = reason;
    wake_writer(std::move(lock));
}

void Outbox::detach()
{
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    overflow();
}

bool Outbox::has_room_for_messages()
{
    const std::lock_guard lock(mutex_);
    return bytes_[static_cast<std::size_t>(Kind::message)] <= bytes_max_ / 4;
}

bool Outbox::overflowed()
{
    const std::lock_guard lock(mutex_);
    return close_ == Close::overflow;
}

void Outbox::overflow()
{
    close_ = Close::overflow;
    counters_.dropped += frames_.size();
    frames_.clear();
    when_taken_ = {};
    none_waits();
    writer_sleeps_ = true; // whatever it waits for: it must hear of this
}

Outbox::Batch Outbox::take()
{
    std::unique_lock lock(mutex_);
    none_waits();
    writer_sleeps_ = frames_.empty() && close_ == Close::no;
    Batch batch{std::exchange(frames_, {}), close_};
    const auto callbacks = std::exchange(when_taken_, {});
    lock.unlock();
    for (const auto& then : callbacks)
        if (then)
            then();
    return batch;
}

void Outbox::wake_writer(std::unique_lock<std::mutex> lock)
{
    if (!std::exchange(writer_sleeps_, false) || !wake_)
        return;
    const auto wake = wake_; // called without the lock, so that it may take whatever it needs
    lock.unlock();
    wake();
}

} // namespace coordination
