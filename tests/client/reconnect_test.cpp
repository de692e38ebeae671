#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"
#include "net/client/backoff.hpp"
#include "support/connection.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

SCENARIO("a client may be started before its daemon", "[client]")
{
    const auto port = free_port();
    Probe client(Probe::options(port));
    auto connecting = client->connect(use_future);
    client.await("reconnecting");
    client.await("reconnecting");
    CHECK(client.diary.count("error") > 0);
    CHECK(waits(connecting));
    CHECK_FALSE(client->connected());
    AND_WHEN("it is told to disconnect meanwhile")
    {
        success(client->disconnect(use_future));
        CHECK(failure(std::move(connecting)).kind == CallErrorKind::stopped);
    }
}

SCENARIO("a client comes back by itself when its connection is lost, and says each step", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    auto connecting = client->connect(use_future);
    daemon.accept();
    daemon.register_worker();
    success(std::move(connecting));
    client.await("registered w1");
    daemon.drop();
    client.await("disconnected");
    client.await("reconnecting");
    daemon.accept();
    client.await("connected");
    daemon.register_worker();
    client.await("registered w1");
    client.await("reconnected");
    CHECK(client->get_metrics().reconnects == 1);
    CHECK(client->get_metrics().connections == 2);
}

SCENARIO("a worker that somebody signed off registers anew", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker();
    daemon.expect("heartbeat");
    daemon.send({{"type", "error"}, {"message", "Worker not found"}, {"code", "WORKER_NOT_FOUND"}});
    daemon.register_worker();
    client.await("registered w1");
    client.await("registered w1");
    CHECK(client.diary.count("reconnected") == 0);
    daemon.drop();
}

SCENARIO("what would be answered the same again is not tried again", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    auto connecting = client->connect(use_future);
    daemon.accept();
    WHEN("the registration is refused")
    {
        daemon.expect("register");
        daemon.send({{"type", "error"}, {"message", "workerId must be shorter"}, {"code", "INVALID_FIELD"}});
        const auto refused = failure(std::move(connecting));
        CHECK(refused.code == "INVALID_FIELD");
        CHECK(refused.message == "workerId must be shorter");
        CHECK(client.diary.count("reconnecting") == 0);
    }
    WHEN("another connection registers this worker")
    {
        daemon.register_worker();
        success(std::move(connecting));
        daemon.assign("t1", 1, 10);
        daemon.expect_and_agree("task_update");
        const auto task = client.await_task("t1");
        daemon.close(1008);
        client.await("stopped t1/1");
        client.await("error  another connection has registered this worker");
        CHECK(client.diary.count("reconnecting") == 0);
        CHECK_FALSE(client->connected());
    }
}

SCENARIO("a registration that the daemon cannot take now is tried again", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    auto connecting = client->connect(use_future);
    daemon.accept();
    daemon.expect("register");
    daemon.send({{"type", "error"}, {"message", "disk full"}, {"code", "STORAGE_FAILED"}});
    daemon.accept();
    daemon.register_worker();
    success(std::move(connecting));
}

SCENARIO("without reconnect the loss of the connection ends everything, and nothing hangs", "[client]")
{
    FakeDaemon daemon;
    auto options = Probe::options(daemon.ws_port());
    options.reconnect = false;
    Probe client(options);
    auto connecting = client->connect(use_future);
    daemon.accept();
    daemon.register_worker();
    success(std::move(connecting));
    daemon.assign("t1", 1, 10);
    const auto task = client.await_task("t1");
    auto ended = client->complete_task(task, nullptr, use_future);
    daemon.assign("t2", 1, 20);
    client.await_task("t2");
    daemon.drop();
    CHECK(failure(std::move(ended)).kind == CallErrorKind::lost);
    client.await("stopped t2/1");
    CHECK(client.diary.count("reconnecting") == 0);
    AND_THEN("connect begins anew")
    {
        auto again = client->connect(use_future);
        daemon.accept();
        daemon.register_worker();
        success(std::move(again));
    }
}

SCENARIO("without reconnect a daemon that is not there is an error", "[client]")
{
    auto options = Probe::options(free_port());
    options.reconnect = false;
    Probe client(options);
    CHECK(failure(client->connect(use_future)).kind == CallErrorKind::unreachable);
}

SCENARIO("the waits of a fleet are spread over the whole interval, and grow to their bound", "[client]")
{
    using std::chrono::milliseconds;
    constexpr int fleet = 10'000;
    constexpr int parts = 10;
    std::array<int, parts> first{};
    for (int client = 0; client < fleet; ++client) {
        net_client::ReconnectBackoff pace(milliseconds{1'000}, milliseconds{3'000}, 0);
        const auto wait = pace.next().count();
        REQUIRE(wait >= 0);
        REQUIRE(wait <= 1'000);
        ++first.at(static_cast<std::size_t>(std::min<long>(wait / 100, parts - 1)));
        CHECK(pace.next() <= milliseconds{2'000});
        CHECK(pace.next() <= milliseconds{3'000});
        CHECK(pace.next() <= milliseconds{3'000});
        CHECK(pace.next(milliseconds{50}) <= milliseconds{50});
    }
    for (const int part : first) // 1,000 expected; 7 standard deviations are 210
        CHECK(std::abs(part - fleet / parts) < 210);
}
