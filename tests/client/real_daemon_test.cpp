#include "client/probe.hpp"
#include "net/client/stoppable_sleep.hpp"
#include "support/api.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
using boost::asio::use_future;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

CoordinationClientOptions options_for(const DaemonProcess& daemon, std::string worker = "w1")
{
    auto options = Probe::options(daemon.ws_port(), daemon.http_port());
    options.worker_id = std::move(worker);
    return options;
}

/// An orchestrator's or monitor's: it registers no worker.
CoordinationClientOptions nobody(const DaemonProcess& daemon)
{
    return options_for(daemon, "");
}

/// Runs it on an io_context of the caller's until nothing is left to do there.
void run(const std::function<asio::awaitable<void>(asio::any_io_executor)>& program)
{
    asio::io_context io;
    std::exception_ptr failed;
    asio::co_spawn(io, program(io.get_executor()),
                   [&](const std::exception_ptr& thrown) { failed = thrown; });
    io.run_for(patience);
    if (failed)
        std::rethrow_exception(failed);
    REQUIRE(io.stopped());
}

json::object value_of(Answer answer)
{
    if (!answer)
        throw std::runtime_error(answer.error().code + " " + answer.error().message);
    return std::move(*answer);
}

asio::awaitable<TaskEnding> counts_to_two(CoordinationClient* worker, AssignedTask task)
{
    value_of(co_await worker->update_progress(task, 50));
    value_of(co_await worker->update_progress(task, 75.5));
    co_return json::object{{"title", task.data.at("title")}};
}

asio::awaitable<void> assign_and_leave(CoordinationClient* worker, CoordinationClient* orchestrator)
{
    asio::steady_timer completed(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    orchestrator->on_state_change([&](const StateChange& change) {
        if (text(change.value, "status") == "completed")
            completed.cancel();
    });
    value_of(co_await worker->connect());
    value_of(co_await orchestrator->connect());
    value_of(co_await orchestrator->subscribe({"tasks:update"}, {.values = true}));
    json::object assign{{"type", "assign"}, {"taskId", "t1"}, {"taskData", {{"title", "count"}}}};
    const auto assigned = co_await orchestrator->call(std::move(assign));
    CHECK(value_of(assigned).at("workerId") == "w1");
    co_await completed.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto known = value_of(co_await orchestrator->get_state());
    const json::value task = known.at("tasks").as_array().at(0);
    CHECK(text(task, "status") == "completed");
    CHECK(text(task, "result.title") == "count");
    CHECK(number(task, "progress") == 75.5);
    value_of(co_await worker->disconnect());
    value_of(co_await orchestrator->disconnect());
}

} // namespace

SCENARIO("worker and orchestrator are coroutines on the caller's io_context", "[client]")
{
    DaemonProcess daemon;
    run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        CoordinationClient worker(executor, options_for(daemon));
        CoordinationClient orchestrator(executor, nobody(daemon));
        worker.serve_tasks([&](AssignedTask task) { return counts_to_two(&worker, std::move(task)); });
        co_await assign_and_leave(&worker, &orchestrator);
    });
}

SCENARIO("the seed's worker, with callbacks and threads of the client's own", "[client]")
{
    DaemonProcess daemon;
    Api api(daemon);
    ClientThread client(options_for(daemon));
    std::promise<void> done;
    client->on_task_assigned([&](const AssignedTask& task) { // it blocks, as work does
        success(client->update_progress(task, 100, use_future));
        success(client->complete_task(task, {{"status", "success"}}, use_future));
        done.set_value();
    });
    success(client->connect(use_future));
    api.assign("t1");
    REQUIRE(done.get_future().wait_for(patience) == std::future_status::ready);
    CHECK(text(api.task("t1"), "result.status") == "success");
    CHECK(integer(api.task("t1"), "progress") == 100);
}

SCENARIO("a cancelled task's coroutine stops, and the daemon hears of it before its grace is over",
         "[client]")
{
    DaemonProcess daemon({"--cancel-grace", "60000"});
    Api api(daemon);
    ClientThread client(options_for(daemon));
    client->serve_tasks([](AssignedTask task) -> asio::awaitable<TaskEnding> {
        const bool slept = co_await sleep_unless_stopped(1h, task.stop);
        CHECK_FALSE(slept);
        co_return tl::unexpected(json::value("stopped"));
    });
    success(client->connect(use_future));
    Watcher watcher(daemon, R"(["tasks:*"])");
    api.assign("t1");
    watcher.await_task("t1", "in_progress");
    api.post("/api/tasks/cancel", R"({"taskId":"t1"})");
    watcher.await_task("t1", "cancelled");
}

SCENARIO("a client that disconnects gives back what it holds at once", "[client]")
{
    DaemonProcess daemon; // whose heartbeat timeout is 15 s
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Probe client(options_for(daemon));
    success(client->connect(use_future));
    api.assign("t1");
    client.await_task("t1");
    const auto begun = std::chrono::steady_clock::now();
    success(client->disconnect(use_future));
    watcher.await_task("t1", "pending");
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
    CHECK(text(api.worker("w1"), "status") == "offline");
    CHECK_FALSE(has(api.task("t1"), "leasesLost"));
}

SCENARIO("the HTTP calls say what the daemon says", "[client]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Probe client(options_for(daemon)); // not connected
    CHECK(text(success(client->register_http(use_future)), "worker.id") == "w1");
    CHECK(field(api.worker("w1"), "capabilities") == json::array{"a", "b"});
    api.assign("t1", "w1");
    api.assign("t2", "w1");
    CHECK(field(success(client->complete_task_http("t1", {{"n", 1}}, use_future)), "task.result.n") == 1);
    CHECK(field(success(client->complete_task_http("t1", nullptr, use_future)), "duplicate") == true);
    CHECK(text(success(client->fail_task_http("t2", "broken", use_future)), "task.error") == "broken");
    const auto refused = failure(client->complete_task_http("none", nullptr, use_future));
    CHECK(refused.code == "TASK_NOT_FOUND");
    CHECK(integer(success(client->get_state(use_future)), "metadata.totalTasks") == 2);
    CHECK(integer(success(client->get_daemon_metrics(use_future)), "daemon.totalTasksProcessed") >= 1);
    success(client->unregister_http(use_future));
    CHECK(failure(client->unregister_http(use_future)).code == "WORKER_NOT_FOUND");
}

SCENARIO("a task that came over the WebSocket ends over HTTP with its attempt and fence", "[client]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Probe client(options_for(daemon));
    success(client->connect(use_future));
    api.assign("t1");
    const auto task = client.await_task("t1");
    success(client->complete_task_http(task, {{"n", 1}}, use_future));
    CHECK(text(api.task("t1"), "status") == "completed");
    CHECK(client->get_metrics().tasks_held == 0);
    CHECK(client->get_metrics().tasks_completed == 1);
    CHECK_FALSE(task.stop.stop_requested());
}

SCENARIO("unregistering stops the tasks, and the worker stays away until it connects again", "[client]")
{
    DaemonProcess daemon({"--heartbeat-interval", "20", "--heartbeat-timeout", "10000"});
    Api api(daemon);
    Probe client(options_for(daemon));
    success(client->connect(use_future));
    api.assign("t1");
    client.await_task("t1");
    client.await("registered w1");
    success(client->unregister_http(use_future));
    client.await("stopped t1/1");
    CHECK(text(api.task("t1"), "status") == "pending");
    CHECK(failure(client->call({{"type", "get_worker"}, {"workerId", "w1"}}, use_future)).code ==
          "WORKER_NOT_FOUND");
    success(client->disconnect(use_future));
    success(client->connect(use_future));
    client.await_task("t1", 2);
}

SCENARIO("a task reaches its worker however deep the daemon lets it be nested", "[client]")
{
    DaemonProcess daemon({"--json-depth-max", "1024"});
    Api api(daemon);
    ClientThread client(options_for(daemon));
    std::promise<json::object> told;
    client->serve_tasks([&](AssignedTask task) -> asio::awaitable<TaskEnding> {
        told.set_value(task.data);
        co_return task.data.at("deep"); // and back
    });
    success(client->connect(use_future));
    Watcher watcher(daemon, R"(["workers:*"])"); // of its own, since the test's JSON is not so deep
    constexpr std::size_t levels = 1'000;
    const auto deep = std::string(levels, '[') + std::string(levels, ']');
    api.post("/api/tasks/assign", R"({"taskId":"t1","taskData":{"deep":)" + deep + "}}");
    auto data = told.get_future();
    REQUIRE(data.wait_for(patience) == std::future_status::ready);
    CHECK(json::serialize(data.get().at("deep")) == deep);
    watcher.await_worker("w1", "busy");
    watcher.await_worker("w1", "idle");                        // its result was taken
    const auto state = success(client->get_state(use_future)); // over HTTP
    CHECK(json::serialize(state.at("tasks").as_array().at(0).at("result")) == deep);
}

SCENARIO("a daemon that wants a token is told it, and a wrong one is an error at once", "[client]")
{
    const TempDir folder;
    write_file(folder.file("token"), "secret");
    DaemonProcess daemon({"--token-file", folder.file("token")});
    auto options = options_for(daemon);
    options.token = "secret";
    {
        Probe client(options);
        success(client->connect(use_future));
        success(client->get_state(use_future));
    }
    options.token = "guess";
    Probe client(options);
    CHECK(failure(client->connect(use_future)).code == "UNAUTHORIZED");
    CHECK(failure(client->get_state(use_future)).code == "UNAUTHORIZED");
}

SCENARIO("changes are followed from a revision on, across the loss of the connection", "[client]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w9");
    const auto since = api.revision();
    api.assign("t1", "w9");
    Probe client(nobody(daemon));
    success(client->connect(use_future));
    success(client->subscribe({"tasks:*"}, {.since = since}, use_future));
    client.diary.await_beginning("change tasks:set:t1");
    api.complete("t1");
    client.diary.await_beginning("change tasks:update:t1");
    client->disconnect(use_future).wait();
    api.assign("t2", "w9"); // while nobody listens
    success(client->connect(use_future));
    client.diary.await_beginning("change tasks:set:t2");
    CHECK(client.diary.count("change") == 0);
    CHECK(client.diary.count("error") == 0);
}

SCENARIO("a worker and its task outlive a daemon that is killed", "[client]")
{
    const TempDir folder;
    const auto http = std::to_string(free_port());
    const auto ws = std::to_string(free_port());
    const Arguments args{
        "--port", http, "--ws-port", ws, "--persistence", "write-ahead-log", "--wal-sync-interval", "0"};
    auto daemon = std::make_unique<DaemonProcess>(folder, args);
    Probe client(options_for(*daemon));
    success(client->connect(use_future));
    success(client->subscribe({"tasks:*"}, {}, use_future));
    Api(*daemon).assign("t1");
    const auto task = client.await_task("t1");
    success(client->update_progress(task, 10, use_future));
    daemon->kill();
    client.await("disconnected");
    auto ended = client->complete_task(task, "done", use_future);
    daemon = std::make_unique<DaemonProcess>(folder, args);
    success(std::move(ended));
    Api api(*daemon);
    CHECK(text(api.task("t1"), "status") == "completed");
    CHECK(integer(api.task("t1"), "attempt") == 1);
    CHECK_FALSE(task.stop.stop_requested());
    client.diary.await_beginning("change tasks:set:t1");
    client.diary.await_beginning("change tasks:update:t1"); // begun
    client.diary.await_beginning("change tasks:update:t1"); // its progress
    client.diary.await_beginning("change tasks:update:t1"); // its end, at the daemon that came after
    CHECK(client.diary.count("error REVISION_COMPACTED") == 0);
}
