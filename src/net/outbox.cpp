#include "net/outbox.hpp"

#include <utility>

namespace coordination {

Outbox::Outbox(std::size_t bytes_max, std::function<void()> wake, std::atomic<std::uint64_t>* dropped)
    : bytes_max_(bytes_max),
      wake_(std::move(wake)),
      dropped_(dropped)
{
}

void Outbox::push(Frame frame)
{
    std::unique_lock lock(mutex_);
    if (close_ != Close::no)
        return count_dropped(1);
    const auto bytes = bytes_.load(std::memory_order_relaxed) + frame->size();
    if (bytes > bytes_max_) {
        count_dropped(1);
        overflow();
    } else {
        frames_.push_back(std::move(frame));
        bytes_.store(bytes, std::memory_order_relaxed);
    }
    wake_writer(std::move(lock));
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
    count_dropped(frames_.size());
    frames_.clear();
    bytes_.store(0, std::memory_order_relaxed);
    writer_sleeps_ = true; // whatever it waits for: it must hear of this
}

void Outbox::count_dropped(std::size_t frames) noexcept
{
    if (dropped_)
        dropped_->fetch_add(frames, std::memory_order_relaxed);
}

Outbox::Batch Outbox::take()
{
    const std::lock_guard lock(mutex_);
    bytes_.store(0, std::memory_order_relaxed);
    writer_sleeps_ = frames_.empty() && close_ == Close::no;
    return {std::exchange(frames_, {}), close_};
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
