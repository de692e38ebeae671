#pragma once

#include "net/connection/waiter.hpp"
#include "net/embed/event.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace coordination {

/// Brings events to the handlers of the program that the daemon lives in: in order, one handler at a time, on an
/// executor of its choice.
///
/// Bounds   What waits for the handlers; beyond it events are left out, and a gap says so.
/// Errors   An exception leaves to the executor; the next handler is called, and so on, all the same.
/// Threads  Any.
class EventHub : public std::enable_shared_from_this<EventHub> {
public:
    using Handler = std::function<void(const Event&)>;

    EventHub(const boost::asio::any_io_executor& executor, std::size_t bytes_max);

    /// From the next call of a handler on.
    void deliver_on(const boost::asio::any_io_executor& executor);

    /// One that is nobody's yet.
    std::uint64_t fresh_id();
    std::uint64_t add(std::span<const EventKind> kinds, Handler handler);
    void remove(std::uint64_t id);

    /// Whether anybody would hear of it.
    bool wants(EventKind kind) const noexcept { return (wanted_.load() & bit(kind)) != 0; }
    bool wants_any() const noexcept { return wanted_.load() != 0; }

    /// `bytes`: what it keeps in memory.
    void push(Event event, std::size_t bytes);
    /// Has `job` called behind what was pushed before, as if it were a handler.
    void run(Waiter<> job);
    /// When everything pushed before has been handed to the handlers.
    boost::asio::awaitable<void> settled();

private:
    struct Listening {
        std::uint64_t id;
        std::uint32_t kinds;
        std::shared_ptr<const Handler> handler;
    };
    struct Waiting {
        Event event;
        std::size_t bytes;
    };
    class Turn;
    /// What is called next: a handler that is told of an event, or a job; neither: nothing, or not here.
    struct Next {
        std::shared_ptr<const Handler> handler{};
        std::optional<Waiter<>> job{};
    };

    static std::uint32_t bit(EventKind kind) noexcept { return 1U << static_cast<unsigned>(kind); }
    void recount();
    void schedule();
    void deliver(std::uint64_t turn);
    Next next(std::uint64_t turn);
    bool is_done() const noexcept;
    bool is_idle();
    void add_gap();

    std::size_t bytes_max_;
    std::atomic<std::uint32_t> wanted_ = 0;

    std::mutex mutex_; ///< guards what follows
    boost::asio::any_io_executor executor_;
    std::vector<Listening> listeners_;
    std::uint64_t last_id_ = 0;
    std::deque<std::variant<Waiting, Waiter<>>> waiting_; ///< events and jobs
    std::size_t bytes_ = 0;                               ///< of the events
    Revision left_out_ = 0;                               ///< the latest change that was not told; 0: none
    std::uint64_t turn_ = 0; ///< the one that may deliver: what was scheduled before it does nothing
    bool scheduled_ = false;
    bool delivering_ = false;

    // Of whoever delivers, who is one at a time.
    Event told_{};                                       ///< what handlers are being told of
    std::vector<std::shared_ptr<const Handler>> untold_; ///< who have still to hear of it, the next one last
};

} // namespace coordination
