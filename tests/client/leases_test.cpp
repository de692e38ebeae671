#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;
namespace json = boost::json;

namespace {

/// A worker that holds t1, attempt 1, fence 10.
struct Fixture {
    FakeDaemon daemon;
    Probe client;
    AssignedTask task;

    Fixture() : client(Probe::options(daemon.ws_port()))
    {
        auto connecting = client->connect(use_future);
        daemon.accept();
        daemon.register_worker();
        success(std::move(connecting));
        daemon.assign("t1", 1, 10);
        daemon.expect_and_agree("task_update");
        task = client.await_task("t1");
    }

    void cancel(bool asked)
    {
        json::object cancelled{{"id", "t1"}, {"attempt", 1}, {"fence", 10}};
        if (asked)
            cancelled["cancelBy"] = 1'800'000'000'000;
        daemon.send(
            {{"type", "task_cancelled"}, {"taskId", "t1"}, {"task", cancelled}, {"reason", "enough"}});
    }

    void lost()
    {
        client.await("stopped t1/1");
        CHECK(failure(client->complete_task(task, nullptr, use_future)).kind == CallErrorKind::lease_lost);
        CHECK(client->get_metrics().leases_lost == 1);
        CHECK(client->get_metrics().tasks_held == 0);
    }
};

} // namespace

SCENARIO("a lost lease stops the handler, and what it then reports is refused here", "[client]")
{
    Fixture peer;
    WHEN("an update is refused as STALE_ATTEMPT")
    {
        auto progress = peer.client->update_progress(peer.task, 10, use_future);
        peer.daemon.refuse(peer.daemon.expect("task_update"), "STALE_ATTEMPT");
        const auto refused = failure(std::move(progress));
        CHECK(refused.kind == CallErrorKind::lease_lost);
        CHECK(refused.code == "STALE_ATTEMPT");
        peer.lost();
    }
    WHEN("the daemon says so unasked")
    {
        peer.daemon.send(
            {{"type", "error"}, {"message", "no more"}, {"code", "STALE_ATTEMPT"}, {"taskId", "t1"}});
        peer.lost();
    }
    WHEN("the next registration does not name the task")
    {
        peer.daemon.accept();
        peer.daemon.register_worker();
        peer.lost();
    }
    WHEN("its time was over")
    {
        peer.cancel(false);
        peer.client.await("cancelled t1/1 enough");
        peer.lost();
    }
}

SCENARIO("a lease that the next registration names is held across the loss of the connection", "[client]")
{
    Fixture peer;
    peer.daemon.drop();
    peer.client.await("disconnected");
    auto progress = peer.client->update_progress(peer.task, 30, use_future);
    peer.daemon.accept();
    peer.daemon.register_worker({"t1"});
    CHECK(field(peer.daemon.expect_and_agree("task_update"), "progress") == 30);
    success(std::move(progress));
    CHECK_FALSE(peer.task.stop.stop_requested());
    auto ended = peer.client->complete_task(peer.task, nullptr, use_future);
    CHECK(integer(peer.daemon.expect_and_agree("task_update"), "fence") == 10);
    success(std::move(ended));
    CHECK_FALSE(peer.task.stop.stop_requested());
}

SCENARIO("a cancelled task is stopped, and whatever its handler ends with confirms that", "[client]")
{
    Fixture peer;
    peer.cancel(true);
    peer.client.await("cancelled t1/1 enough");
    peer.client.await("stopped t1/1");
    std::future<Answer> ended;
    SECTION("as a failure")
    {
        ended = peer.client->fail_task(peer.task, "stopped", use_future);
    }
    SECTION("as a success that came too late")
    {
        ended = peer.client->complete_task(peer.task, "done", use_future);
    }
    SECTION("by name")
    {
        ended = peer.client->update_task(peer.task, "cancelled", {}, use_future);
    }
    const auto report = peer.daemon.expect("task_update");
    CHECK(text(report, "status") == "cancelled");
    CHECK(integer(report, "attempt") == 1);
    peer.daemon.send({{"type", "response"},
                      {"requestId", field(report, "requestId")},
                      {"success", true},
                      {"task", {{"id", "t1"}, {"status", "cancelled"}}}});
    success(std::move(ended));
    CHECK(peer.client->get_metrics().tasks_cancelled == 1);
    CHECK(peer.client->get_metrics().leases_lost == 0);
}

SCENARIO("a cancellation is told once, however often the daemon repeats it", "[client]")
{
    Fixture peer;
    peer.cancel(true);
    peer.client.await("cancelled t1/1 enough");
    peer.cancel(true);
    peer.daemon.assign("t2", 1, 20); // behind it
    peer.daemon.expect_and_agree("task_update");
    peer.client.await_task("t2");
    CHECK(peer.client.diary.count("cancelled") == 0);
}

SCENARIO("a task that this worker never heard of is confirmed as stopped at once", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker();
    daemon.send({{"type", "task_cancelled"},
                 {"taskId", "t9"},
                 {"task", {{"id", "t9"}, {"attempt", 4}, {"fence", 44}, {"cancelBy", 1'800'000'000'000}}}});
    const auto report = daemon.expect_and_agree("task_update");
    CHECK(text(report, "status") == "cancelled");
    CHECK(integer(report, "fence") == 44);
    daemon.drop();
}

SCENARIO("disconnect stops what runs, gives it back, closes in order and answers every call", "[client]")
{
    Fixture peer;
    auto progress = peer.client->update_progress(peer.task, 10, use_future);
    const auto unanswered = peer.daemon.expect("task_update");
    auto left = peer.client->disconnect(use_future);
    peer.client.await("stopped t1/1");
    const auto goodbye = peer.daemon.expect("goodbye");
    CHECK(text(goodbye, "workerId") == "w1");
    peer.daemon.agree(goodbye);
    CHECK(peer.daemon.closed());
    success(std::move(left));
    CHECK(failure(std::move(progress)).kind == CallErrorKind::stopped);
    CHECK(failure(peer.client->complete_task(peer.task, nullptr, use_future)).kind ==
          CallErrorKind::lease_lost);
    CHECK_FALSE(peer.client->connected());
    AND_WHEN("it connects again")
    {
        auto connecting = peer.client->connect(use_future);
        peer.daemon.accept();
        peer.daemon.register_worker();
        success(std::move(connecting));
        peer.daemon.assign("t1", 2, 20);
        THEN("it works as before")
        {
            peer.daemon.expect_and_agree("task_update");
            peer.client.await_task("t1", 2);
        }
    }
}

SCENARIO("a client that is destroyed leaves nobody waiting", "[client]")
{
    FakeDaemon daemon;
    boost::asio::io_context io;
    std::future<Answer> connecting;
    std::future<Answer> publishing;
    {
        CoordinationClient client(io.get_executor(), Probe::options(daemon.ws_port()));
        connecting = client.connect(use_future);
        publishing = client.publish({.topic = "news"}, use_future);
        io.poll();
    }
    io.run(); // ends, since nothing is left to do
    CHECK(failure(std::move(connecting)).kind == CallErrorKind::stopped);
    CHECK(failure(std::move(publishing)).kind == CallErrorKind::stopped);
}
