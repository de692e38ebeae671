#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"
#include "support/deadline.hpp"

#include <boost/asio/post.hpp>

#include <catch2/catch.hpp>

#include <latch>
#include <thread>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

namespace {

/// Destroys it on another thread, so that a test whose client never ends fails instead of hanging.
void destroy_in_time(std::unique_ptr<ClientThread> client)
{
    std::promise<void> gone;
    std::thread destroyer([&] {
        client.reset();
        gone.set_value();
    });
    REQUIRE(gone.get_future().wait_for(patience) == std::future_status::ready); // else terminate()
    destroyer.join();
}

} // namespace

SCENARIO("a handler that still calls after the disconnect is answered, and the client ends", "[client]")
{
    FakeDaemon daemon;
    std::latch disconnected(1);
    std::promise<void> begun;
    std::vector<CallErrorKind> answers; // written by the handler; read once the client is gone
    auto client = std::make_unique<ClientThread>(Probe::options(daemon.ws_port()));
    (*client)->on_task_assigned([&, peer = &**client](const AssignedTask&) {
        begun.set_value();
        disconnected.wait();
        answers.push_back(failure(peer->publish({.topic = "late"}, use_future)).kind);
        answers.push_back(failure(peer->subscribe({"*"}, {}, use_future)).kind);
        answers.push_back(failure(peer->subscribe_messages({"*"}, use_future)).kind);
        answers.push_back(failure(peer->connect(use_future)).kind);
    });
    auto connecting = (*client)->connect(use_future);
    daemon.accept();
    daemon.register_worker();
    success(std::move(connecting));
    daemon.assign("t1", 1, 10);
    daemon.expect_and_agree("task_update");
    REQUIRE(begun.get_future().wait_for(patience) == std::future_status::ready);
    auto left = (*client)->disconnect(use_future);
    daemon.expect_and_agree("goodbye");
    CHECK(daemon.closed());
    success(std::move(left));
    disconnected.count_down();
    destroy_in_time(std::move(client));
    CHECK(answers == std::vector<CallErrorKind>(4, CallErrorKind::stopped));
}

SCENARIO("calls that were begun in the same breath as the client ended are answered", "[client]")
{
    FakeDaemon daemon;
    boost::asio::io_context io;
    auto client =
        std::make_unique<CoordinationClient>(io.get_executor(), Probe::options(daemon.ws_port(), 1));
    std::vector<std::future<Answer>> calls;
    boost::asio::post(client->get_executor(), [&] { // where its destruction takes effect at once
        calls.push_back(client->publish({.topic = "news"}, use_future));
        calls.push_back(client->subscribe({"*"}, {}, use_future));
        calls.push_back(client->connect(use_future));
        calls.push_back(client->disconnect(use_future));
        calls.push_back(client->complete_task("t1", nullptr, use_future));
        calls.push_back(client->get_state(use_future));
        client.reset();
    });
    io.run(); // ends, since nothing is left to do
    REQUIRE(calls.size() == 6);
    for (auto& call : calls)
        CHECK(failure(std::move(call)).kind == CallErrorKind::stopped);
}

SCENARIO("HTTP calls that are under way when their client ends are answered", "[client]")
{
    FakeDaemon silent; // takes the connection and says nothing
    boost::asio::io_context io;
    std::future<Answer> reading;
    std::future<Answer> writing;
    {
        CoordinationClient client(io.get_executor(), Probe::options(1, silent.ws_port()));
        reading = client.get_state(use_future);
        writing = client.register_http(use_future);
        io.run_for(std::chrono::milliseconds{20}); // into whatever stage: none may lose them
    }
    io.run_for(patience);
    CHECK(io.stopped());
    CHECK(failure(std::move(reading)).kind == CallErrorKind::lost);
    CHECK(failure(std::move(writing)).kind == CallErrorKind::lost);
}

SCENARIO("a second disconnect waits for the first", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port()));
    auto connecting = client->connect(use_future);
    daemon.accept();
    daemon.register_worker();
    success(std::move(connecting));
    daemon.assign("t1", 1, 10);
    daemon.expect_and_agree("task_update");
    client.await_task("t1");
    auto first = client->disconnect(use_future);
    const auto goodbye = daemon.expect("goodbye");
    auto second = client->disconnect(use_future);
    daemon.agree(goodbye);
    CHECK(daemon.closed());
    success(std::move(first));
    success(std::move(second));
}

SCENARIO("what a handler asked for last is sent ahead of how its task ended", "[client]")
{
    FakeDaemon daemon;
    boost::asio::io_context io; // handlers run on the client's own strand
    CoordinationClient client(io.get_executor(), Probe::options(daemon.ws_port()));
    std::future<Answer> progress;
    client.serve_tasks([&](AssignedTask task) -> boost::asio::awaitable<TaskEnding> {
        progress = client.update_progress(task, 100, use_future);
        if (task.id == "throws")
            throw std::runtime_error("it broke");
        co_return boost::json::value("done");
    });
    client.connect(boost::asio::detached);
    std::thread thread([&] { io.run(); });
    daemon.accept();
    daemon.register_worker();
    for (const auto* id : {"returns", "throws"}) {
        daemon.assign(id, 1, 10);
        daemon.expect_and_agree("task_update"); // begun
        const auto said = daemon.expect_and_agree("task_update");
        CHECK(text(said, "status") == "in_progress");
        CHECK(field(said, "progress") == 100);
        CHECK(text(daemon.expect_and_agree("task_update"), "status") != "in_progress");
        success(std::move(progress));
    }
    auto left = client.disconnect(use_future);
    CHECK(daemon.closed());
    success(std::move(left));
    thread.join();
}
