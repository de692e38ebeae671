#include "net/connection/wakeup.hpp"

#include <boost/asio/async_result.hpp>

#include <utility>

namespace coordination {

namespace asio = boost::asio;

void Wakeup::notify()
{
    if (state_.exchange(State::notified) == State::asleep)
        turns_.post<&Wakeup::resume>(shared_from_this());
}

asio::awaitable<void> Wakeup::wait()
{
    const auto sleep = [this](auto handler) {
        sleeper_ = Waiter<>(std::move(handler));
        auto expected = State::working;
        if (!state_.compare_exchange_strong(expected, State::asleep)) // notified since the last look
            turns_.post<&Wakeup::resume>(shared_from_this());
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(sleep, asio::use_awaitable);
}

void Wakeup::resume()
{
    auto sleeper = std::move(sleeper_);
    state_.store(State::working); // from here on it looks for itself
    std::move(sleeper)();
}

} // namespace coordination
