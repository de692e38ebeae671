#pragma once

#include "net/embed/event.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace coordination {

/// Brings events to the handlers of the program that the daemon lives in: in order, one handler at a time, on an
/// executor of its choice.
///
/// Bounds   What waits for the handlers; beyond it events are left out, and a gap says so.
/// Threads  Any.
class EventHub : public std::enable_shared_from_this<EventHub> {
public:
    using Handler = std::function<void(const Event&)>;

    EventHub(const boost::asio::any_io_executor& executor, std::size_t bytes_max);

    /// From the next events on.
    void deliver_on(const boost::asio::any_io_executor& executor);

    std::uint64_t add(std::span<const EventKind> kinds, Handler handler);
    void remove(std::uint64_t id);

    /// Whether anybody would hear of it.
    bool wants(EventKind kind) const noexcept { return (wanted_.load() & bit(kind)) != 0; }
    bool wants_any() const noexcept { return wanted_.load() != 0; }

    /// `bytes`: what it keeps in memory.
    void push(Event event, std::size_t bytes);
    /// When everything pushed before has been handed to the handlers.
    boost::asio::awaitable<void> settled();

private:
    using Strand = boost::asio::strand<boost::asio::any_io_executor>;
    struct Listening {
        std::uint64_t id;
        std::uint32_t kinds;
        std::shared_ptr<const Handler> handler;
    };

    static std::uint32_t bit(EventKind kind) noexcept { return 1U << static_cast<unsigned>(kind); }
    void deliver();
    void tell(const Event& event);
    void recount();
    Strand strand();

    std::size_t bytes_max_;
    std::atomic<std::uint32_t> wanted_ = 0;

    std::mutex mutex_; ///< guards what follows
    Strand strand_;
    std::vector<Listening> listeners_;
    std::uint64_t last_id_ = 0;
    std::vector<Event> waiting_;
    std::size_t bytes_ = 0;
    Revision left_out_ = 0; ///< the latest change that was not told; 0: none
};

} // namespace coordination
