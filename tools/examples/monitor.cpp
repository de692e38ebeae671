// The seed's third example: how the daemon is doing, every two seconds.
// monitor [ROUNDS]; the daemon is at COORDINATION_HTTP_URL, by default http://localhost:9500.
#include "coordination/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <iostream>

namespace asio = boost::asio;
using namespace coordination;
using namespace std::chrono_literals;

void show(const boost::json::object& metrics, const boost::json::object& state)
{
    const auto& daemon = metrics.at("daemon").as_object();
    const auto number = [&](const char* name) { return daemon.at(name).to_number<double>(); };
    std::cout << "=== Coordination Daemon Status ===\n\n"
              << "Operations/sec: " << number("operationsPerSecond") << "\n"
              << "Average latency: " << std::fixed << std::setprecision(2) << number("averageLatency")
              << "ms\n"
              << std::defaultfloat << "Active workers: " << state.at("metadata").at("totalWorkers") << "\n"
              << "Active tasks: " << number("activeTasks") << "\n"
              << "Queue depth: " << metrics.at("messageBus").at("queueDepth") << "\n"
              << "Uptime: " << std::round(number("uptime") / 1000) << "s" << std::endl;
}

asio::awaitable<void> monitor(CoordinationClient* client, int rounds)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int round = 1;; ++round) {
        const auto metrics = co_await client->get_daemon_metrics();
        const auto state = co_await client->get_state();
        if (metrics && state)
            show(*metrics, *state);
        else
            std::cerr << (metrics ? state : metrics).error().message << std::endl;
        if (round == rounds)
            co_return;
        timer.expires_after(2s);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

int main(int count, char** arguments)
{
    CoordinationClientOptions options;
    if (const char* url = std::getenv("COORDINATION_HTTP_URL"))
        options.http_url = url;
    asio::io_context io;
    CoordinationClient client(io.get_executor(), options);
    asio::co_spawn(io, monitor(&client, count > 1 ? std::atoi(arguments[1]) : 0), asio::detached);
    io.run();
}
