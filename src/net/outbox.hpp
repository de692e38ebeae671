#pragma once

#include <array>
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

/// What waits to be sent to one peer, in order. Each kind of frame is bounded in bytes for itself: a peer
/// that does not read is cut off at the bound (its connection is aborted), and costs the others nothing.
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

    enum class Kind : std::uint8_t {
        message, ///< what others have to say to the peer: `bytes_max`
        reply,   ///< to what it asked: it is not read from while many wait, so a bound far beyond that
        lease,   ///< what a worker must be told: more than the largest bodies of the tasks that it may hold
        change,  ///< of what it follows: push_change()
    };

    /// Adds a frame. Beyond the bound of its kind the outbox closes as `overflow` and drops everything; a
    /// single frame always fits.
    void push(Frame frame, Kind kind = Kind::message);
    void push(std::string text, Kind kind = Kind::message)
    {
        push(std::make_shared<const std::string>(std::move(text)), kind);
    }
    /// Adds a change, unless those that wait would then take more than `budget`: false. One always fits.
    bool push_change(const Frame& frame, std::size_t budget);
    /// Adds changes whatever they take.
    void push_changes(std::vector<Frame> frames);
    /// Calls `then` once, when the writer has taken what waits: from its thread, or at once where nothing
    /// does. Never, once it is closed. One for each kind: the latest counts.
    void when_taken(std::function<void()> then, Kind kind = Kind::change);
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

    /// Of replies that wait.
    std::size_t reply_bytes() const noexcept { return reply_bytes_.load(std::memory_order_relaxed); }
    /// Whether few messages wait, in a quarter of their bound.
    bool has_room_for_messages();

private:
    static constexpr std::size_t kinds = 4;

    std::size_t bound_of(Kind kind) const noexcept;
    bool takes_none(std::size_t frames);
    void add(Frame frame, Kind kind);
    void none_waits() noexcept;
    void wake_writer(std::unique_lock<std::mutex> lock);
    void overflow();

    const std::size_t bytes_max_;
    std::mutex mutex_;
    std::function<void()> wake_;
    std::array<std::function<void()>, kinds> when_taken_; ///< by whose frames wait for it
    FrameCounters& counters_;
    std::vector<Frame> frames_;
    std::array<std::size_t, kinds> bytes_{}; ///< of the frames, by kind
    std::atomic<std::size_t> reply_bytes_ = 0;
    Close close_ = Close::no;
    bool writer_sleeps_ = true;
};

} // namespace coordination
