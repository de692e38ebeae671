#include "net/outbox.hpp"

#include <utility>

namespace coordination {

Outbox::Outbox(std::size_t bytes_max, std::function<void()> wake, FrameCounters& counters)
    : bytes_max_(bytes_max),
      wake_(std::move(wake)),
      counters_(counters)
{
}

void Outbox::push(Frame frame, std::size_t bytes_max)
{
    std::unique_lock lock(mutex_);
    ++counters_.queued;
    if (close_ != Close::no) {
        ++counters_.dropped;
        return;
    }
    const auto bytes = bytes_.load(std::memory_order_relaxed) + frame->size();
    frames_.push_back(std::move(frame));
    bytes_.store(bytes, std::memory_order_relaxed);
    if (bytes > bytes_max && frames_.size() > 1)
        overflow();
    wake_writer(std::move(lock));
}

void Outbox::when_taken(std::function<void()> then)
{
    std::unique_lock lock(mutex_);
    if (!frames_.empty()) {
        when_taken_ = std::move(then);
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
    when_taken_ = nullptr;
    bytes_.store(0, std::memory_order_relaxed);
    writer_sleeps_ = true; // whatever it waits for: it must hear of this
}

Outbox::Batch Outbox::take()
{
    std::unique_lock lock(mutex_);
    bytes_.store(0, std::memory_order_relaxed);
    writer_sleeps_ = frames_.empty() && close_ == Close::no;
    Batch batch{std::exchange(frames_, {}), close_};
    const auto then = std::exchange(when_taken_, nullptr);
    lock.unlock();
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
