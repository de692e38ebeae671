#pragma once

#include "net/connection/turns.hpp"
#include "net/connection/waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace coordination {

/// Lets one coroutine sleep until someone has something for it. It does all there is to do, then waits; what
/// came in between is not lost. Costs one atomic exchange while the coroutine is at work.
///
/// Threads  notify() from any thread; wait() on the strand.
class Wakeup : public std::enable_shared_from_this<Wakeup> {
public:
    explicit Wakeup(Strand strand) : turns_(std::move(strand)) {}

    void notify();
    boost::asio::awaitable<void> wait();

private:
    enum class State : std::uint8_t { working, asleep, notified };

    void resume();

    Turns turns_;
    std::atomic<State> state_ = State::working;
    Waiter<> sleeper_;
};

} // namespace coordination
