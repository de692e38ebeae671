// The seed's second example: a daemon within this program, which assigns a task every so often, until Ctrl-C.
// orchestrator [MILLISECONDS_BETWEEN [HTTP_PORT WS_PORT]]; its state is in ./coordination.
#include "coordination/daemon.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdlib>
#include <iostream>

namespace asio = boost::asio;
using namespace coordination;

asio::awaitable<void> assign_tasks(Daemon* daemon, std::chrono::milliseconds pause)
{
    const std::string data = R"({"title":"Automated task","capabilities":["development"],"seconds":1})";
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto task_id = "task-" + std::to_string(now / std::chrono::milliseconds{1});
        const auto assigned = co_await daemon->assign_task(task_id, std::nullopt, data);
        if (assigned)
            std::cout << "Assigned " << task_id << " to " << assigned->worker_id << std::endl;
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> orchestrate(Daemon* daemon, int pause_ms)
{
    using namespace asio::experimental::awaitable_operators;
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    co_await (assign_tasks(daemon, std::chrono::milliseconds{pause_ms}) ||
              signals.async_wait(asio::use_awaitable));
    co_await daemon->stop();
}

int main(int count, char** arguments)
{
    DaemonOptions options; // the seed's defaults: state is kept in snapshots
    options.http_port = static_cast<std::uint16_t>(count > 3 ? std::atoi(arguments[2]) : 9500);
    options.ws_port = static_cast<std::uint16_t>(count > 3 ? std::atoi(arguments[3]) : 9501);
    asio::io_context io;
    Daemon daemon(io, options);
    daemon.on(EventKind::worker_registered,
              [](const Event& event) { std::cout << "Worker registered: " << event.worker_id << std::endl; });
    daemon.on(EventKind::task_completed,
              [](const Event& event) { std::cout << "Task completed: " << event.task_id << std::endl; });
    if (const auto endpoints = daemon.start(); !endpoints)
        return std::cerr << endpoints.error() << std::endl, 1;
    std::cout << "Daemon started" << std::endl;
    asio::co_spawn(io, orchestrate(&daemon, count > 1 ? std::atoi(arguments[1]) : 10'000), asio::detached);
    io.run(); // ends when the daemon has stopped
}
