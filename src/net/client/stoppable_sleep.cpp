#include "net/client/stoppable_sleep.hpp"

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/client/connect.hpp"

namespace coordination {

namespace asio = boost::asio;

namespace {

/// On a strand, so that the end which a token asks for comes after the wait has begun, from whichever thread.
asio::awaitable<bool> sleep_on(asio::any_io_executor strand, std::chrono::milliseconds duration,
                               std::stop_token stop)
{
    const auto timer = std::make_shared<asio::steady_timer>(strand, duration);
    const std::stop_callback wake(stop,
                                  [timer, strand] { asio::post(strand, [timer] { timer->cancel(); }); });
    const auto [cancelled] = co_await timer->async_wait(net_client::nothrow);
    co_return !cancelled && !stop.stop_requested();
}

} // namespace

asio::awaitable<bool> sleep_unless_stopped(std::chrono::milliseconds duration, std::stop_token stop)
{
    const asio::any_io_executor strand = asio::make_strand(co_await asio::this_coro::executor);
    const bool slept =
        co_await asio::co_spawn(strand, sleep_on(strand, duration, std::move(stop)), asio::use_awaitable);
    co_return slept;
}

} // namespace coordination
