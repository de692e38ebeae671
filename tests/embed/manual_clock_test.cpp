#include "embed/embedded.hpp"

#include "support/http_peer.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

SCENARIO("by a manual clock a silent worker loses its task exactly at the heartbeat timeout", "[embed]")
{
    Timed timed;
    Heard heard(timed.daemon, {EventKind::worker_offline});
    must_start(timed.daemon);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    REQUIRE(assign(timed.daemon, "t1"));

    WHEN("it has been silent for 1 ms less")
    {
        timed.advance(15s - 1ms);
        THEN("it still holds the task")
        {
            CHECK(timed.task("t1").status == TaskStatus::assigned);
            CHECK(heard.lines().empty());
        }
        AND_WHEN("it gives a sign of life")
        {
            must(timed.daemon, request::Heartbeat{"w1"});
            timed.advance(15s - 1ms);
            THEN("that counts")
            {
                CHECK(timed.task("t1").status == TaskStatus::assigned);
            }
        }
    }
    WHEN("it has been silent for exactly that long")
    {
        timed.advance(15s);
        THEN("nobody holds the task, and the handlers have heard of it")
        {
            CHECK(timed.task("t1").status == TaskStatus::pending);
            CHECK(heard.lines() == std::vector<std::string>{"worker-offline w1"});
        }
    }
    WHEN("much more time passes at once")
    {
        const auto begin = timed.clock->now();
        timed.advance(24h);
        THEN("all was done at its own time")
        {
            REQUIRE(heard.events().size() == 1);
            CHECK(heard.events().front().at == begin + 15s);
            CHECK(timed.clock->now() == begin + 24h);
        }
    }
    WHEN("no time passes")
    {
        timed.advance(0ms);
        THEN("nothing is due")
        {
            CHECK(timed.task("t1").status == TaskStatus::assigned);
        }
    }
}

SCENARIO("by a manual clock one thing leads to the next at its time", "[embed]")
{
    Timed timed;
    Heard heard(timed.daemon, {EventKind::task_assigned, EventKind::task_failed});
    must_start(timed.daemon);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    must(timed.daemon, request::SubmitTask{.task_id = "later", .fields = R"({"delayMs":5000})"});
    const auto begin = timed.clock->now();

    timed.advance(4'999ms);
    CHECK(heard.lines().empty());
    timed.advance(1ms);
    REQUIRE(heard.events().size() == 1);
    CHECK(heard.events().front().at == begin + 5s);
}

SCENARIO("a stop by a manual clock does not wait for a claim whose time never comes", "[embed]")
{
    auto options = quiet();
    options.listen = true;
    options.http_port = options.ws_port = 0;
    Timed timed(options);
    const auto endpoints = timed.daemon.start();
    REQUIRE(endpoints);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    const auto seen = [&] { return must(timed.daemon, request::FindWorker{"w1"}).json; };
    const auto before = seen();
    timed.advance(1ms);
    HttpPeer waiting(
        static_cast<std::uint16_t>(std::stoi(endpoints->http.substr(endpoints->http.rfind(':') + 1))));
    const std::string body = R"({"workerId":"w1","waitMs":60000})";
    waiting.send("POST /api/tasks/claim HTTP/1.1\r\nHost: " + waiting.host() +
                 "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
    for (const Deadline deadline; seen() == before;) // a claim is a sign of life
        REQUIRE_FALSE(deadline.passed());
    REQUIRE(stop(timed.daemon));
    CHECK(waiting.read()["tasks"].as_array().empty());
}

SCENARIO("daemons share a manual clock, each on threads of its own", "[embed]")
{
    const auto clock = std::make_shared<ManualClock>();
    auto options = quiet();
    options.clock = clock;
    options.threads = 2;
    Daemon one(options);
    options.heartbeat_timeout = 20s;
    Daemon other(options);
    for (auto* daemon : {&one, &other}) {
        must_start(*daemon);
        must(*daemon, request::RegisterWorker{.worker_id = "w1"});
        REQUIRE(assign(*daemon, "t1"));
    }
    wait(clock->advance(15s, asio::use_future));
    CHECK(must(one, request::FindTask{"t1"}).status == TaskStatus::pending);
    CHECK(must(other, request::FindTask{"t1"}).status == TaskStatus::assigned);
    REQUIRE(stop(one));
    wait(clock->advance(5s, asio::use_future)); // the one that has stopped holds nothing up
    CHECK(must(other, request::FindTask{"t1"}).status == TaskStatus::pending);
}

SCENARIO("a manual clock that drives nothing goes by itself", "[embed]")
{
    ManualClock clock;
    const auto begin = clock.now();
    wait(clock.advance(1h, asio::use_future));
    CHECK(clock.now() == begin + 1h);
}

SCENARIO("snapshots are taken by the manual clock", "[embed]")
{
    const TempDir folder;
    DaemonOptions options;
    options.listen = false;
    options.snapshot_path = folder.file("state.json");
    options.snapshot_interval = 30s;
    Timed timed(options);
    must_start(timed.daemon);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    timed.advance(30s - 1ms);
    CHECK_FALSE(std::filesystem::exists(options.snapshot_path));
    timed.advance(1ms);
    CHECK(read_file(options.snapshot_path).find("w1") != std::string::npos);
}

SCENARIO("messages expire by the manual clock", "[embed]")
{
    Timed timed;
    must_start(timed.daemon);
    must(timed.daemon, request::RegisterWorker{.worker_id = "w1"});
    const auto published =
        must(timed.daemon, request::PublishMessage{.topic = "news",
                                                   .payload = R"({"x":1})",
                                                   .recipient = "w1", // who has no connection
                                                   .message_id = "m1",
                                                   .fields = R"({"ttl":1000})"});
    CHECK(published.message_id == "m1");
    const auto dead_letters = [&](const std::string& count) {
        const auto metrics = must(timed.daemon, request::ReadMetrics{});
        return metrics.find(R"("deadLetters":)" + count + ',') != std::string::npos;
    };
    timed.advance(999ms);
    CHECK(dead_letters("0"));
    timed.advance(1ms);
    CHECK(dead_letters("1"));
}
