#include "net/client/stoppable_sleep.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/client/connect.hpp"

namespace coordination {

namespace asio = boost::asio;

namespace {

/// A timer that a token ends from whichever thread, before the wait begins or during it.
struct Alarm {
    Alarm(const asio::any_io_executor& executor, std::chrono::milliseconds duration)
        : timer(executor, duration)
    {
    }

    void ring()
    {
        const std::lock_guard lock(mutex);
        timer.expires_at(asio::steady_timer::time_point::min()); // ends a wait, and one that begins later
    }

    std::mutex mutex;
    asio::steady_timer timer;
};

} // namespace

asio::awaitable<bool> sleep_unless_stopped(std::chrono::milliseconds duration, std::stop_token stop)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto alarm = std::make_shared<Alarm>(executor, duration);
    const std::stop_callback wake(stop, [alarm] { alarm->ring(); });
    const auto wait = [alarm](auto handler) {
        const std::lock_guard lock(alarm->mutex);
        alarm->timer.async_wait(std::move(handler));
    };
    const auto [ended] =
        co_await asio::async_initiate<decltype(net_client::nothrow), void(boost::system::error_code)>(
            wait, net_client::nothrow);
    static_cast<void>(ended); // either way the token tells
    co_return !stop.stop_requested();
}

} // namespace coordination
