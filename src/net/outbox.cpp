#include "net/outbox.hpp"

#include <utility>

namespace coordination {

Outbox::Outbox(std::size_t bytes_max, std::function<void()> wake)
    : bytes_max_(bytes_max),
      wake_(std::move(wake))
{
}

void Outbox::push(Frame frame)
{
    std::unique_lock lock(mutex_);
    if (close_ != Close::no)
        return;
    const auto bytes = bytes_.load(std::memory_order_relaxed) + frame->size();
    if (bytes > bytes_max_) {
        close_ = Close::overflow;
        frames_.clear();
        bytes_.store(0, std::memory_order_relaxed);
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
    close_ = reason;
    if (reason == Close::overflow) {
        frames_.clear();
        bytes_.store(0, std::memory_order_relaxed);
    }
    wake_writer(std::move(lock));
}

void Outbox::detach()
{
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    close_ = Close::overflow;
    frames_.clear();
    bytes_.store(0, std::memory_order_relaxed);
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
