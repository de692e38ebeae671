#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace coordination {

/// What became of the frames of all outboxes.
struct FrameCounters {
    std::atomic<std::uint64_t> queued = 0;    ///< put into an outbox
    std::atomic<std::uint64_t> delivered = 0; ///< handed to the socket
    std::atomic<std::uint64_t> dropped =
        0; ///< of peers that were cut off, or put into an outbox that was closed
};

/// One message as it goes out, shared by every outbox that wants it: written once.
using Frame = std::shared_ptr<const std::string>;

/// What waits to be sent to one peer. Bounded in bytes: a peer that does not read is cut off at the bound
/// (its connection is aborted), and costs the others nothing.
///
/// Threads  push() and close() from any thread; the rest on the connection's own executor.
class Outbox {
public:
    enum class Close : std::uint8_t {
        no,
        going_away, ///< send what waits, then close code 1001
        superseded, ///< send what waits, then close code 1008: another connection speaks for the worker
        overflow,   ///< abort at once: the peer does not read
    };

    /// `wake` is called, from any thread, when the writer has something to do after it was told there was
    /// nothing. It must not block, and must stay callable until detach(). `counters` must outlive the outbox.
    Outbox(std::size_t bytes_max, std::function<void()> wake, FrameCounters& counters);

    /// Adds a frame. Beyond the bound the outbox closes as `overflow` and drops everything; a
    /// single frame always fits.
    void push(Frame frame) { push(std::move(frame), bytes_max_); }
    void push(std::string text) { push(std::make_shared<const std::string>(std::move(text))); }
    /// Adds what a worker must be told of a lease: within a bound of its own, so that a worker that comes
    /// back to many large tasks is not cut off for it. Sixteen outboxes hold the largest bodies of more tasks
    /// than a worker takes.
    void push_lease(std::string text)
    {
        push(std::make_shared<const std::string>(std::move(text)), 16 * bytes_max_);
    }
    /// Calls `then` once, when the writer has taken what waits: from its thread, or at once where nothing
    /// does. Never, once it is closed.
    void when_taken(std::function<void()> then);
    /// Nothing is added from now on. The first reason stays, but overflow beats the others.
    void close(Close reason);
    /// The connection is gone: nobody is woken any more, and what waits is dropped.
    void detach();

    struct Batch {
        std::vector<Frame> frames;
        Close close = Close::no;
    };
    /// Takes all that waits. When there is nothing and it is not closed, the next push or
    /// close wakes the writer.
    Batch take();
    /// For a writer that waits for its peer, and would not take() now.
    bool overflowed();

    std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
    void push(Frame frame, std::size_t bytes_max);
    void wake_writer(std::unique_lock<std::mutex> lock);
    void overflow();

    const std::size_t bytes_max_;
    std::mutex mutex_;
    std::function<void()> wake_;
    std::function<void()> when_taken_;
    FrameCounters& counters_;
    std::vector<Frame> frames_;
    std::atomic<std::size_t> bytes_ = 0;
    Close close_ = Close::no;
    bool writer_sleeps_ = true;
};

} // namespace coordination
