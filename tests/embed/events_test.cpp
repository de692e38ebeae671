#include "embed/embedded.hpp"

#include "support/temp_dir.hpp"

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <random>
#include <thread>

using namespace coordination;
using namespace coordination::testing;
namespace asio = boost::asio;

using Lines = std::vector<std::string>;

SCENARIO("handlers hear what happens, in order, and only of the kinds that they asked for", "[embed]")
{
    Daemon daemon(quiet());
    Heard heard(daemon, all_but_changes);
    Heard ends(daemon, {EventKind::task_completed, EventKind::task_failed});
    must_start(daemon);

    must(daemon, request::RegisterWorker{.worker_id = "w1"});
    must(daemon, request::RegisterWorker{.worker_id = "w1"}); // anew
    REQUIRE(assign(daemon, "t1"));
    must(daemon, request::UpdateTask{.task_id = "t1", .progress = 10});
    must(daemon, request::CompleteTask{.task_id = "t1", .result = R"("good")"});
    must(daemon, request::CompleteTask{.task_id = "t1"}); // a duplicate
    REQUIRE(assign(daemon, "t2"));
    must(daemon, request::FailTask{.task_id = "t2", .error = R"("bad")"});
    must(daemon, request::SubmitTask{.task_id = "t3", .fields = R"({"delayMs":60000})"});
    must(daemon, request::CancelTask{.task_id = "t3"});
    must(daemon, request::UnregisterWorker{"w1"});
    REQUIRE(stop(daemon)); // by then handlers have returned

    CHECK(heard.lines() == Lines{"worker-registered w1", "worker-registered w1", "task-assigned t1 w1",
                                 "task-completed t1 w1", "task-assigned t2 w1", "task-failed t2 w1",
                                 "task-cancelled t3", "worker-unregistered w1"});
    CHECK(ends.lines() == Lines{"task-completed t1 w1", "task-failed t2 w1"});
    const auto ended = ends.events();
    CHECK(ended[0].value().find(R"("result":"good")") != std::string::npos);
    CHECK(ended[1].value().find(R"("error":"bad")") != std::string::npos);
    CHECK(ended[1].attempt == 1);
    CHECK(ended[0].revision < ended[1].revision);
}

SCENARIO("state_change tells of every change once, in the order of revisions", "[embed]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    auto options = quiet();
    options.threads = 2;
    Daemon daemon(options);
    Heard heard(daemon, {EventKind::state_change});
    must_start(daemon);

    std::vector<std::future<tl::expected<Done, Error>>> calls;
    for (int n = 0; n < 500; ++n) {
        const auto worker = "w" + std::to_string(random() % 10);
        const auto task = "t" + std::to_string(random() % 50);
        switch (random() % 5) {
        case 0:
            calls.push_back(daemon.call(request::RegisterWorker{.worker_id = worker}, asio::use_future));
            break;
        case 1:
            calls.push_back(daemon.call(request::UnregisterWorker{worker}, asio::use_future));
            break;
        case 2:
            calls.push_back(daemon.call(request::CompleteTask{.task_id = task}, asio::use_future));
            break;
        default:
            calls.push_back(daemon.call(request::SubmitTask{.task_id = task}, asio::use_future));
        }
    }
    Revision last = 0;
    for (auto& call : calls)
        if (const auto reply = wait(std::move(call)))
            last = std::max(last, reply->revision);
    REQUIRE(stop(daemon));

    const auto events = heard.events();
    REQUIRE_FALSE(events.empty());
    for (std::size_t i = 1; i < events.size(); ++i)
        REQUIRE(events[i].revision == events[i - 1].revision + 1);
    CHECK(events.back().revision >= last);
}

SCENARIO("a worker is told to be offline once, and only if it was there before", "[embed]")
{
    Timed timed;
    Heard heard(timed.daemon, {EventKind::worker_offline});
    must_start(timed.daemon);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    for (const auto* task : {"t1", "t2"})
        REQUIRE(assign(timed.daemon, task));
    timed.advance(std::chrono::seconds(15)); // its silence changes the worker once for each task, too
    CHECK(heard.lines() == Lines{"worker-offline w1"});

    must(timed.daemon, request::UnregisterWorker{"w1"});
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    timed.advance(std::chrono::seconds(15));
    CHECK(heard.lines() == Lines{"worker-offline w1", "worker-offline w1"});
}

SCENARIO("a handler that comes while the daemon runs hears of what happens from then on", "[embed]")
{
    Timed timed;
    must_start(timed.daemon);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    Heard heard(timed.daemon, {EventKind::worker_registered, EventKind::worker_offline});
    timed.advance(std::chrono::seconds(15));
    CHECK(heard.lines() == Lines{"worker-offline w1"});
}

SCENARIO("a handler that was taken off is not called again", "[embed]")
{
    Daemon daemon(quiet());
    int calls = 0;
    Daemon::ListenerId id = 0;
    id = daemon.on(EventKind::worker_registered, [&](const Event&) {
        ++calls;
        daemon.off(id);
    });
    must_start(daemon);
    must(daemon, request::RegisterWorker{.worker_id = "w1"});
    must(daemon, request::RegisterWorker{.worker_id = "w2"});
    REQUIRE(stop(daemon));
    CHECK(calls == 1);
}

SCENARIO("handlers run on the executor that the embedder chose, and may call the daemon", "[embed]")
{
    asio::thread_pool elsewhere(1);
    Daemon daemon(quiet());
    daemon.deliver_events_on(elsewhere.get_executor());
    bool there = false;
    std::promise<std::string> assigned;
    daemon.on(EventKind::worker_registered, [&](const Event& event) {
        there = elsewhere.get_executor().running_in_this_thread();
        daemon.assign_task("t1", event.worker_id, "{}", [&](const tl::expected<Done, Error>& reply) {
            assigned.set_value(reply ? reply->worker_id : reply.error().message);
        });
    });
    must_start(daemon);
    must(daemon, request::RegisterWorker{.worker_id = "w1"});
    CHECK(wait(assigned.get_future()) == "w1");
    REQUIRE(stop(daemon));
    CHECK(there);
}

SCENARIO("an exception leaves run(), and neither an event nor another handler is forgotten for it", "[embed]")
{
    asio::io_context handlers; // runs when the test says so
    Daemon daemon(quiet());
    daemon.deliver_events_on(handlers.get_executor());
    Lines heard;
    const auto hear = [&](std::string_view who) {
        return [&heard, who](const Event& event) {
            heard.push_back(event.worker_id + " by " + std::string(who));
        };
    };
    daemon.on(EventKind::worker_registered, hear("one"));
    daemon.on(EventKind::worker_registered, [](const Event& event) {
        if (event.worker_id != "w3")
            throw std::runtime_error(event.worker_id);
    });
    daemon.on(EventKind::worker_registered, hear("another"));
    must_start(daemon);
    for (const auto* worker : {"w1", "w2", "w3"})
        must(daemon, request::RegisterWorker{.worker_id = worker});
    CHECK_THROWS_WITH(handlers.poll(), "w1");
    CHECK_THROWS_WITH(handlers.poll(), "w2");
    handlers.poll();
    CHECK(heard ==
          Lines{"w1 by one", "w1 by another", "w2 by one", "w2 by another", "w3 by one", "w3 by another"});
    REQUIRE(stop(daemon));
}

SCENARIO("handlers move to another executor amid events, and hear of all in order", "[embed]")
{
    asio::io_context first;
    asio::io_context second;
    Daemon daemon(quiet());
    daemon.deliver_events_on(first.get_executor());
    Heard heard(daemon, {EventKind::worker_registered});
    std::string moves_at;
    daemon.on(EventKind::worker_registered, [&](const Event& event) {
        if (event.worker_id == moves_at)
            daemon.deliver_events_on(second.get_executor());
    });
    must_start(daemon);
    const auto register_workers = [&](std::initializer_list<const char*> workers) {
        for (const auto* worker : workers)
            must(daemon, request::RegisterWorker{.worker_id = worker});
    };
    const auto run = [](asio::io_context& io) {
        io.restart();
        io.poll();
    };
    register_workers({"w1", "w2", "w3"});
    std::size_t heard_on_first = 0;
    WHEN("none has been told yet")
    {
        daemon.deliver_events_on(second.get_executor());
    }
    WHEN("a handler has just been told of one")
    {
        moves_at = "w2";
        heard_on_first = 2;
    }
    run(first);
    CHECK(heard.lines().size() == heard_on_first);
    register_workers({"w4"});
    run(first);
    CHECK(heard.lines().size() == heard_on_first);
    run(second);
    register_workers({"w5"});
    run(second);
    CHECK(heard.lines() == Lines{"worker-registered w1", "worker-registered w2", "worker-registered w3",
                                 "worker-registered w4", "worker-registered w5"});
    REQUIRE(stop(daemon));
}

SCENARIO("a handler that is too slow is told where the gap is, and memory stays bounded", "[embed]")
{
    auto options = quiet();
    options.outbox_bytes_max = 100'000;
    asio::io_context handlers; // runs when the test says so
    Daemon daemon(options);
    daemon.deliver_events_on(handlers.get_executor());
    Heard heard(daemon, {EventKind::state_change});
    must_start(daemon);
    Revision last = 0;
    for (int n = 0; n < 100; ++n)
        last =
            must(daemon, request::SubmitTask{.task_id = "t" + std::to_string(n),
                                             .task_data = R"({"x":")" + std::string(10'000, 'x') + R"("})"})
                .revision;
    handlers.poll();

    const auto events = heard.events();
    REQUIRE(events.size() > 2);
    CHECK(events.size() < 12);
    CHECK(events.back().kind == EventKind::gap);
    CHECK(events.back().revision == last);

    must(daemon, request::SubmitTask{.task_id = "after"});
    handlers.restart();
    handlers.poll();
    CHECK(heard.events().back().task_id == "after");
    auto stopped = daemon.stop(asio::use_future);
    auto work = asio::make_work_guard(handlers);
    std::jthread runner([&] {
        handlers.restart();
        handlers.run();
    });
    CHECK(wait(std::move(stopped)));
    work.reset();
}

SCENARIO("nobody hears of what could still be lost", "[embed]")
{
    const TempDir folder;
    DaemonOptions options;
    options.listen = false;
    options.persistence = Persistence::write_ahead_log;
    options.wal_sync_interval = std::chrono::milliseconds(0);
    options.wal_path = folder.file("wal.log");
    options.snapshot_path = folder.file("state.json");
    Daemon daemon(options);
    std::vector<bool> on_disk;
    daemon.on(EventKind::task_assigned, [&](const Event& event) {
        bool found = false; // the log holds texts as they are
        for (const auto& file : std::filesystem::directory_iterator(folder.path()))
            found = found || read_file(file.path()).find(event.task_id) != std::string::npos;
        on_disk.push_back(found);
    });
    must_start(daemon);
    must(daemon, request::RegisterWorker{.worker_id = "w1"});
    for (const auto* task : {"task-one", "task-two", "task-three"})
        CHECK(assign(daemon, task).value().durability == Durability::disk);
    REQUIRE(stop(daemon));
    CHECK(on_disk == std::vector<bool>{true, true, true});
}
