// How long a heartbeat waits while a large state is saved. A daemon with TASKS tasks runs on a thread of its
// own; a worker on this one sends a heartbeat each millisecond, over a real socket, first in peace and then
// during a snapshot.
//
//   bench-snapshot-pause [TASKS]     default 1000000; prints the round trips in milliseconds

#include "core/histogram.hpp"
#include "core/store/state_store.hpp"
#include "net/client/http_client.hpp"
#include "net/client/ws_client.hpp"
#include "net/daemon.hpp"
#include "persist/posix_disk.hpp"
#include "persist/snapshot/snapshot_file.hpp"
#include "persist/snapshot/snapshot_writer.hpp"

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
using namespace coordination;
using namespace std::chrono_literals;

[[noreturn]] void give_up(std::string_view what)
{
    fmt::print(stderr, "bench-snapshot-pause: {}\n", what);
    std::exit(1);
}

void save_tasks(const std::string& path, int tasks)
{
    PosixDisk disk;
    SnapshotFile file(disk, path);
    CapabilityInterner interner;
    const auto required = interner.intern({"nobody-has-it"});
    SnapshotWriter writer(
        SnapshotHeader{.revision = static_cast<Revision>(tasks), .saved_at = {}, .totals = {}});
    const auto store = [&] {
        if (const auto written = file.write(writer.take()); !written)
            give_up(written.error().text());
    };
    for (int i = 0; i < tasks; ++i) {
        Task task;
        task.id = TaskId("task-" + std::to_string(i));
        task.payload =
            Text(R"("title":"a task of the backlog","description":")" + std::string(200, 'x') + R"(")");
        task.required = required;
        task.ordinal = static_cast<Revision>(i) + 1;
        task.created_at = Timestamp{1'700'000'000'000ms};
        writer.add(task);
        if (writer.waiting() > 1 << 20)
            store();
    }
    while (writer.finish(1000))
        store();
    store();
    if (const auto committed = file.commit(); !committed)
        give_up(committed.error().text());
}

/// Beats until `done`; the round trips go to `us`.
asio::awaitable<void> beat(WsClient* worker, const bool* done, Histogram* us)
{
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (!*done) {
        const auto sent = std::chrono::steady_clock::now();
        if (!worker->send(R"({"type":"heartbeat","workerId":"w1"})"))
            give_up("a heartbeat was not sent");
        const auto answer = co_await worker->receive();
        if (!answer)
            give_up(answer.error().message);
        const auto took = std::chrono::steady_clock::now() - sent;
        us->add(
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
        pause.expires_at(sent + 1ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> save(HttpClient* http, bool* done)
{
    const auto response = co_await http->request(boost::beast::http::verb::post, "/api/snapshot", "{}");
    if (!response || !response->ok())
        give_up(response ? response->body : response.error().message);
    *done = true;
}

asio::awaitable<void> rest(bool* done)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 3s);
    co_await timer.async_wait(asio::use_awaitable);
    *done = true;
}

asio::awaitable<void> join(WsClient* worker)
{
    const auto connected = co_await worker->connect();
    if (!connected || !worker->send(R"({"type":"register","workerId":"w1","capabilities":["x"]})"))
        give_up("the worker cannot register");
    const auto registered = co_await worker->receive();
    if (!registered)
        give_up(registered.error().message);
}

void print(std::string_view when, const Histogram& us)
{
    const auto ms = [](std::uint64_t value) { return static_cast<double>(value) / 1000; };
    fmt::print("{:>18}: {:>6} heartbeats, p50 {:.3f}  p99 {:.3f}  max {:.3f} ms\n", when, us.count(),
               ms(us.percentile(0.5)), ms(us.percentile(0.99)), ms(us.max()));
}

/// Runs the coroutines to their ends, side by side.
template <class... Coroutines>
void run(asio::io_context& io, Coroutines... coroutines)
{
    const auto rethrow = [](const std::exception_ptr& bug) {
        if (bug)
            std::rethrow_exception(bug);
    };
    std::size_t left = sizeof...(Coroutines);
    (asio::co_spawn(io, std::move(coroutines),
                    [&](const std::exception_ptr& bug) {
                        rethrow(bug);
                        --left;
                    }),
     ...);
    while (left > 0)
        io.run_one();
}

void measure(const Endpoints& endpoints)
{
    asio::io_context io(1);
    ClientOptions options{.endpoint = *parse_endpoint("ws://" + endpoints.ws, "ws")};
    WsClient worker(io.get_executor(), options);
    options.endpoint = *parse_endpoint("http://" + endpoints.http, "http");
    options.reply_timeout = 120s;
    HttpClient http(io.get_executor(), options);
    run(io, join(&worker));

    bool rested = false;
    Histogram in_peace;
    run(io, rest(&rested), beat(&worker, &rested, &in_peace));
    print("in peace", in_peace);

    bool saved = false;
    Histogram during;
    const auto began = std::chrono::steady_clock::now();
    run(io, save(&http, &saved), beat(&worker, &saved, &during));
    print("during a snapshot", during);
    fmt::print("the snapshot took {:.2f} s\n",
               std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    run(io, worker.close());
}

} // namespace

int main(int argc, char** argv)
{
    const int tasks = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
    spdlog::set_level(spdlog::level::warn);
    const auto folder =
        std::filesystem::temp_directory_path() / ("bench-snapshot-pause-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    DaemonOptions options;
    options.http_port = 0;
    options.ws_port = 0;
    options.snapshot_path = folder / "state.json";
    options.snapshot_interval = 24h;
    save_tasks(options.snapshot_path, tasks);

    asio::io_context io(1);
    Daemon daemon(io, options);
    const auto began = std::chrono::steady_clock::now();
    const auto endpoints = daemon.start();
    if (!endpoints)
        give_up(endpoints.error());
    fmt::print("{} tasks, {} MB, loaded in {:.2f} s\n", tasks,
               std::filesystem::file_size(options.snapshot_path) / 1'000'000,
               std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    std::jthread server([&io] { io.run(); });
    measure(*endpoints);
    daemon.stop([](const auto&) {});
    server.join();
    std::filesystem::remove_all(folder);
    return 0;
}
