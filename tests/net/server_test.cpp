#include "net/server.hpp"

#include "net/scripted_journal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <string>

namespace coordination {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

DaemonOptions briefly_drained()
{
    DaemonOptions options;
    options.http_port = options.ws_port = 0;
    options.run_by = RunBy::one_thread;
    options.drain_timeout = 20ms;
    return options;
}

/// A server whose disk has stopped without a word: nothing that writes is ever answered.
struct Stuck {
    Stuck()
    {
        metrics.journal = &journal;
        server.emplace(io.get_executor(), options, coordinator, metrics, clock,
                       ServerHooks{.health = [] { return Health{}; }, .snapshot = {}});
    }

    asio::io_context io;
    const DaemonOptions options = briefly_drained();
    SystemClock clock;
    Metrics metrics;
    ScriptedJournal journal;
    Coordinator coordinator{io.get_executor(), Limits{}, WatchBounds{}, clock, metrics, journal};
    std::optional<Server> server;
};

} // namespace

SCENARIO("a stop cuts off whoever waits for a disk that never answers", "[server]")
{
    Stuck stuck;
    const auto endpoints = stuck.server->listen();
    REQUIRE(endpoints);
    stuck.server->start();
    tcp::socket peer(stuck.io);
    peer.connect(
        {asio::ip::address_v4::loopback(),
         static_cast<std::uint16_t>(std::stoi(endpoints->http.substr(endpoints->http.rfind(':') + 1)))});
    std::string requests;
    const auto count =
        GENERATE(std::size_t{1}, 2 * HttpSession::exchanges_max); // more than it reads at a time
    for (std::size_t i = 0; i < count; ++i)
        requests += "POST /api/workers/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                    "application/json\r\nContent-Length: 17\r\n\r\n{\"workerId\":\"w1\"}";
    asio::write(peer, asio::buffer(requests));
    while (stuck.metrics.http_requests < std::min(count, HttpSession::exchanges_max))
        REQUIRE(stuck.io.run_one_for(20s) == 1);
    stuck.io.poll();

    bool stopped = false;
    asio::co_spawn(stuck.io, stuck.server->shutdown(), [&](const std::exception_ptr&) { stopped = true; });
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!stopped && std::chrono::steady_clock::now() < deadline)
        stuck.io.run_one_for(100ms);
    CHECK(stopped);
    stuck.journal.reach(1);
    stuck.coordinator.journal_moved(); // what waits holds on to its connection's memory
    stuck.io.restart();
    stuck.io.poll();
}

} // namespace coordination
