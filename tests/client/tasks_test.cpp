#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"
#include "net/client/stoppable_sleep.hpp"
#include "support/deadline.hpp"

#include <boost/asio/co_spawn.hpp>

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;
namespace json = boost::json;

namespace {

/// A worker that is connected to a daemon whose words the test speaks.
struct Fixture {
    FakeDaemon daemon;
    Probe client;

    Fixture() : client(Probe::options(daemon.ws_port()))
    {
        auto connecting = client->connect(use_future);
        daemon.accept();
        daemon.register_worker();
        success(std::move(connecting));
    }

    AssignedTask given(std::string_view id, int attempt = 1, int fence = 10)
    {
        daemon.assign(id, attempt, fence);
        CHECK(text(daemon.expect_and_agree("task_update"), "status") == "in_progress");
        return client.await_task(id, attempt);
    }

    void come_back(const json::array& held = {})
    {
        daemon.accept();
        daemon.register_worker(held);
    }
};

json::object task_object(std::string_view id, int attempt, int fence)
{
    return {
        {"id", id}, {"status", "in_progress"}, {"assignedTo", "w1"}, {"attempt", attempt}, {"fence", fence}};
}

} // namespace

SCENARIO("a client registers with its options, keeps a heartbeat and tells of both", "[client]")
{
    FakeDaemon daemon;
    auto options = Probe::options(daemon.ws_port());
    options.metadata = {{"zone", "a"}};
    Probe client(options);
    auto connecting = client->connect(use_future);
    daemon.accept();
    CHECK(waits(connecting));
    const auto registration = daemon.register_worker();
    CHECK(field(registration, "workerId") == "w1");
    CHECK(field(registration, "capabilities") == json::array{"a", "b"});
    CHECK(field(registration, "metadata.zone") == "a");
    success(std::move(connecting));
    client.await("connected");
    client.await("registered w1");
    CHECK(client->connected());
    daemon.send({{"type", "heartbeat_ack"}, {"timestamp", 4711}});
    client.await("heartbeat_ack");
    const auto metrics = client->get_metrics();
    CHECK(metrics.connections == 1);
    CHECK(metrics.last_heartbeat_ack == 4711);
}

SCENARIO("the heartbeat is as frequent as the daemon wants it", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port())); // whose own interval is 5 s
    auto connecting = client->connect(use_future);
    daemon.accept();
    daemon.register_worker(); // and tells 50 ms
    success(std::move(connecting));
    const auto beat = daemon.expect("heartbeat");
    CHECK(field(beat, "workerId") == "w1");
}

SCENARIO("a handler is called once for an attempt, however often the daemon tells of it", "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1", 1, 10);
    CHECK(task.fence == 10);
    CHECK(text(task.data, "title") == "A task");
    WHEN("it is told again over the same connection, and over the next")
    {
        peer.daemon.assign("t1", 1, 10);
        peer.daemon.expect_and_agree("task_update");
        peer.come_back({"t1"});
        peer.daemon.assign("t1", 1, 10);
        peer.daemon.expect_and_agree("task_update");
        THEN("nothing begins anew, nothing is stopped")
        {
            peer.given("t2", 1, 20); // what was told before has been looked at by now
            CHECK(peer.client.diary.count("task t1") == 0);
            CHECK_FALSE(task.stop.stop_requested());
            CHECK(peer.client->get_metrics().tasks_assigned == 2);
        }
    }
    WHEN("the daemon, having lost its latest state, tells it with another fence")
    {
        peer.daemon.assign("t1", 1, 77);
        CHECK(integer(peer.daemon.expect_and_agree("task_update"), "fence") == 77);
        THEN("reports go with that one")
        {
            auto ended = peer.client->complete_task(task, "done", use_future);
            const auto report = peer.daemon.expect_and_agree("task_update");
            CHECK(integer(report, "fence") == 77);
            CHECK(integer(report, "attempt") == 1);
            success(std::move(ended));
        }
    }
    WHEN("it is the next attempt")
    {
        peer.daemon.assign("t1", 2, 90);
        peer.daemon.expect_and_agree("task_update");
        THEN("the old handler is told to stop, and a new one is called")
        {
            peer.client.await("stopped t1/1");
            const auto again = peer.client.await_task("t1", 2);
            CHECK_FALSE(again.stop.stop_requested());
            AND_THEN("the old one's word is not taken for the new one's")
            {
                const auto refused = failure(peer.client->complete_task(task, "late", use_future));
                CHECK(refused.kind == CallErrorKind::lease_lost);
                auto ended = peer.client->complete_task(again, "done", use_future);
                CHECK(integer(peer.daemon.expect_and_agree("task_update"), "attempt") == 2);
                success(std::move(ended));
            }
        }
    }
}

SCENARIO("an attempt that ended is not begun again by a daemon that forgot the end: it hears of it again",
         "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1", 1, 10);
    auto ended = peer.client->complete_task(task, json::object{{"n", 1}}, use_future);
    peer.daemon.expect_and_agree("task_update");
    success(std::move(ended));
    peer.come_back();
    peer.daemon.assign("t1", 1, 10);
    const auto report = peer.daemon.expect_and_agree("task_update");
    CHECK(text(report, "status") == "completed");
    CHECK(integer(report, "result.n") == 1);
    CHECK(integer(report, "fence") == 10);
    CHECK(peer.client.diary.count("task t1") == 0);
}

SCENARIO("each way to report goes with attempt and fence", "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1", 3, 17);
    const auto reported = [&](std::future<Answer> call) {
        auto report = peer.daemon.expect_and_agree("task_update");
        success(std::move(call));
        CHECK(text(report, "taskId") == "t1");
        CHECK(integer(report, "attempt") == 3);
        CHECK(integer(report, "fence") == 17);
        return report;
    };
    auto report = reported(peer.client->update_progress(task, 50, use_future));
    CHECK(text(report, "status") == "in_progress");
    CHECK(field(report, "progress") == 50);
    report = reported(peer.client->update_task("t1", "in_progress", {{"progress", 60}}, use_future));
    CHECK(field(report, "progress") == 60);
    SECTION("completed")
    {
        report = reported(peer.client->complete_task("t1", json::object{{"n", 1}}, use_future));
        CHECK(text(report, "status") == "completed");
        CHECK(integer(report, "result.n") == 1);
    }
    SECTION("failed")
    {
        report = reported(peer.client->fail_task(task, json::object{{"message", "broken"}}, use_future));
        CHECK(text(report, "status") == "failed");
        CHECK(text(report, "error.message") == "broken");
    }
    SECTION("completed by its status")
    {
        report = reported(peer.client->update_task("t1", "completed", {{"result", 5}}, use_future));
        CHECK(field(report, "result") == 5);
    }
    SECTION("failed by its status")
    {
        report = reported(peer.client->update_task("t1", "failed", {{"error", "x"}}, use_future));
        CHECK(field(report, "error") == "x");
    }
}

SCENARIO("a status that there is not is refused here", "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1");
    CHECK(failure(peer.client->update_task(task, "sleeping", {}, use_future)).kind == CallErrorKind::invalid);
    CHECK(failure(peer.client->update_task("unknown", "in_progress", {}, use_future)).kind ==
          CallErrorKind::lease_lost);
}

SCENARIO("a handler that throws fails its task and is told of", "[client]")
{
    FakeDaemon daemon;
    Diary diary;
    ClientThread client(Probe::options(daemon.ws_port()));
    client->on_task_assigned([](const AssignedTask&) { throw std::runtime_error("it broke"); });
    client->on_error([&](const CallError& error) { diary.note(error.message); });
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 10);
    daemon.expect_and_agree("task_update");
    const auto report = daemon.expect_and_agree("task_update");
    CHECK(text(report, "status") == "failed");
    CHECK(text(report, "error.message") == "it broke");
    CHECK(text(report, "error.code") == "HANDLER_FAILED");
    diary.await("it broke");
    daemon.drop();
}

SCENARIO("a client without a handler fails what it is given, so that no task hangs on it", "[client]")
{
    FakeDaemon daemon;
    ClientThread client(Probe::options(daemon.ws_port()));
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 10);
    daemon.expect_and_agree("task_update");
    CHECK(text(daemon.expect_and_agree("task_update"), "error.code") == "NO_HANDLER");
    daemon.drop();
}

SCENARIO("a task that another process of this name had begun is taken on", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker({"t1"});
    const auto asked = daemon.expect("get_task");
    CHECK(text(asked, "taskId") == "t1");
    daemon.send({{"type", "response"},
                 {"requestId", field(asked, "requestId")},
                 {"success", true},
                 {"task", task_object("t1", 2, 30)}});
    CHECK(integer(daemon.expect_and_agree("task_update"), "fence") == 30);
    client.await_task("t1", 2);
    daemon.drop();
}

SCENARIO("a coroutine's return value ends its task", "[client]")
{
    FakeDaemon daemon;
    ClientThread client(Probe::options(daemon.ws_port()));
    client->serve_tasks([](AssignedTask task) -> boost::asio::awaitable<TaskEnding> {
        if (task.id == "good")
            co_return json::value(42);
        if (task.id == "bad")
            co_return tl::unexpected(json::value("no luck"));
        throw std::runtime_error("ugly");
    });
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker();
    const auto ending = [&](std::string_view id) {
        daemon.assign(id, 1, 10);
        daemon.expect_and_agree("task_update");
        return daemon.expect_and_agree("task_update");
    };
    CHECK(field(ending("good"), "result") == 42);
    CHECK(field(ending("bad"), "error") == "no luck");
    CHECK(text(ending("ugly"), "error.message") == "ugly");
    daemon.drop();
}

SCENARIO("a result that no message holds, or that the daemon refuses, fails the task and says so", "[client]")
{
    FakeDaemon daemon;
    auto options = Probe::options(daemon.ws_port());
    options.message_bytes_max = 1'000;
    ClientThread client(options);
    client->serve_tasks([](AssignedTask task) -> boost::asio::awaitable<TaskEnding> {
        co_return json::value(std::string(task.id == "large" ? 2'000 : 10, 'x'));
    });
    client->connect(boost::asio::detached);
    daemon.accept();
    daemon.register_worker();
    daemon.assign("large", 1, 10);
    daemon.expect_and_agree("task_update");
    CHECK(text(daemon.expect_and_agree("task_update"), "error.code") == "RESULT_TOO_LARGE");
    daemon.assign("odd", 1, 11);
    daemon.expect_and_agree("task_update");
    daemon.refuse(daemon.expect("task_update"), "INVALID_FIELD");
    CHECK(text(daemon.expect_and_agree("task_update"), "error.code") == "RESULT_REFUSED");
    daemon.drop();
}

SCENARIO("a handler's sleep ends with its time, or as soon as it is to stop", "[client]")
{
    boost::asio::thread_pool threads(2);
    std::stop_source stop;
    const auto sleep = [&](std::chrono::milliseconds duration) {
        return boost::asio::co_spawn(threads, sleep_unless_stopped(duration, stop.get_token()), use_future);
    };
    CHECK(sleep(std::chrono::milliseconds{1}).get());
    auto asleep = sleep(std::chrono::hours{1});
    CHECK(asleep.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready);
    stop.request_stop();
    REQUIRE(asleep.wait_for(patience) == std::future_status::ready);
    CHECK_FALSE(asleep.get());
    CHECK_FALSE(sleep(std::chrono::hours{1}).get()); // it had fired before
}
