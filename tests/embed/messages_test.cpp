#include "embed/embedded.hpp"

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using Lines = std::vector<std::string>;

Done publish(Daemon& daemon, std::string topic, std::string payload = "1", std::string fields = "")
{
    return must(daemon, request::PublishMessage{.topic = std::move(topic),
                                                .payload = std::move(payload),
                                                .fields = std::move(fields)});
}

std::string metrics(Daemon& daemon)
{
    return must(daemon, request::ReadMetrics{});
}

bool says(Daemon& daemon, std::string_view part)
{
    return metrics(daemon).find(part) != std::string::npos;
}

/// A daemon by a manual clock whose handlers run when the test says so.
struct Mailroom {
    explicit Mailroom(DaemonOptions options = quiet()) : timed(std::move(options))
    {
        timed.daemon.deliver_events_on(handlers.get_executor());
    }

    void listen(const std::vector<std::string>& topics)
    {
        const auto id = timed.daemon.on_message(topics, [this](const DeliveredMessage& message) {
            heard.push_back(message);
            if (message.payload == throws_at)
                throw std::runtime_error(message.payload);
        });
        REQUIRE(id);
        listener = *id;
    }
    void run()
    {
        handlers.restart();
        handlers.poll();
    }
    /// Runs the handlers until it is so: the daemon's own thread brings what they are told.
    template <class Condition>
    void run_until(Condition condition)
    {
        for (const Deadline deadline; !condition(); run())
            REQUIRE_FALSE(deadline.passed());
    }
    void run_until_heard(std::size_t count)
    {
        run_until([&] { return heard.size() >= count; });
    }
    Lines lines()
    {
        Lines lines;
        for (const auto& message : heard)
            lines.push_back(message.topic + ' ' + message.payload + ' ' + std::to_string(message.attempt) +
                            (message.after_gap ? " after a gap" : ""));
        return lines;
    }

    asio::io_context handlers;
    Timed timed;
    Daemon& daemon = timed.daemon;
    std::vector<DeliveredMessage> heard;
    std::string throws_at = "nothing";
    Daemon::ListenerId listener = 0;
};

} // namespace

SCENARIO("a handler is told of messages to its topics, in order, until it is taken off", "[embed][messages]")
{
    Mailroom room;
    room.listen({"jobs:*", "news"});
    must_start(room.daemon);
    publish(room.daemon, "jobs:done", R"({"n":1})", R"({"sender":"w1","priority":"high","messageId":"m1"})");
    publish(room.daemon, "news", "2", R"({"guarantee":"at-most-once","priority":1})");
    publish(room.daemon, "weather", "3");
    room.run_until_heard(2);
    CHECK(room.lines() == Lines{R"(jobs:done {"n":1} 1)", "news 2 1"});
    CHECK(room.heard[0].message_id == "m1");
    CHECK(room.heard[0].sender == "w1");
    CHECK(room.heard[0].priority == "high");
    CHECK(room.heard[0].guarantee == "at-least-once");
    CHECK(room.heard[0].published_at == room.timed.clock->now());
    CHECK(room.heard[1].sender.empty());
    CHECK(room.heard[1].priority == "1");
    room.run_until([&] { return says(room.daemon, R"("pendingAcks":0,)"); });
    CHECK(says(room.daemon, R"("messagesDelivered":2,)"));

    room.daemon.off(room.listener);
    room.run_until([&] { return says(room.daemon, R"("subscriberCount":0,)"); });
    publish(room.daemon, "news");
    room.timed.advance(0ms); // by then it would have come
    room.run();
    CHECK(room.heard.size() == 2);
}

SCENARIO("a message comes again if its handler threw, and those behind it come all the same",
         "[embed][messages]")
{
    auto options = quiet();
    options.ack_timeout = 10s;
    Mailroom room(options);
    room.listen({"*"});
    must_start(room.daemon);
    for (const auto* payload : {"1", "2", "3"})
        publish(room.daemon, "news", payload);
    room.throws_at = "2";
    CHECK_THROWS_WITH(room.run_until_heard(3), "2");
    room.run_until_heard(3);
    CHECK(room.lines() == Lines{"news 1 1", "news 2 1", "news 3 1"});
    room.run_until([&] { return says(room.daemon, R"("pendingAcks":1,)"); });

    room.throws_at = "nothing";
    auto advanced = room.timed.clock->advance(10s, asio::use_future);
    room.run_until(
        [&] { return advanced.wait_for(0s) == std::future_status::ready; }); // it waits for the handler
    REQUIRE(room.heard.size() == 4);
    CHECK(room.lines().back() == "news 2 2");
    room.run_until([&] { return says(room.daemon, R"("pendingAcks":0,)"); });
}

SCENARIO("messages are listened to again after a stop and a start", "[embed][messages]")
{
    Mailroom room;
    room.listen({"news"});
    must_start(room.daemon);
    publish(room.daemon, "news", "1");
    room.run_until_heard(1);
    auto stopped = room.daemon.stop(asio::use_future);
    room.run_until([&] { return stopped.wait_for(0s) == std::future_status::ready; });
    must_start(room.daemon);
    publish(room.daemon, "news", "2");
    room.run_until_heard(2);
    CHECK(room.lines() == Lines{"news 1 1", "news 2 1"});
}

SCENARIO("messages for a handler that is too slow are bounded as those for a socket", "[embed][messages]")
{
    auto options = quiet();
    options.outbox_bytes_max = 100'000;
    WHEN("the queue is full before as much waits as may for one receiver")
    {
        options.max_queue_size = 500;
        Mailroom room(options);
        room.listen({"news"});
        must_start(room.daemon);
        for (int i = 0; i < 500; ++i)
            publish(room.daemon, "news", std::to_string(i));
        THEN("publishers are refused until it has read")
        {
            const auto refused = ask(room.daemon, request::PublishMessage{.topic = "news", .payload = "500"});
            REQUIRE_FALSE(refused);
            CHECK(refused.error().code == ErrorCode::queue_full);
            room.run_until_heard(500);
            for (std::size_t i = 0; i < 500; ++i)
                REQUIRE(room.heard[i].payload == std::to_string(i));
            publish(room.daemon, "news", "500");
            room.run_until_heard(501);
        }
    }
    WHEN("more waits than may for one receiver")
    {
        options.max_queue_bytes = 64 << 20; // a tenth of it, or 8 MiB
        Mailroom room(options);
        room.listen({"news"});
        must_start(room.daemon);
        const auto large = '"' + std::string(10'000, 'x') + '"';
        for (int i = 0; i < 2'000; ++i)
            publish(room.daemon, "news", large);
        THEN("it goes on behind a gap")
        {
            room.run_until([&] { return says(room.daemon, R"("slowConsumersDropped":1,)"); });
            const auto before = room.heard.size();
            CHECK(before < 1'000);
            publish(room.daemon, "news", "1");
            publish(room.daemon, "news", "2");
            room.run_until_heard(before + 2);
            REQUIRE(room.lines()[before].ends_with(" after a gap"));
            room.run_until([&] { return room.lines().back() == "news 2 1"; });
        }
    }
}

SCENARIO("topics that are none are refused", "[embed][messages]")
{
    Daemon daemon(quiet());
    const auto code = [&](const std::vector<std::string>& topics) {
        const auto id = daemon.on_message(topics, [](const DeliveredMessage&) {});
        return id ? std::string("none") : id.error().message;
    };
    CHECK(code({"a"}) == "none");
    CHECK(code({""}).starts_with("topics must be"));
    CHECK(code({std::string(257, 'a')}) == "each of the topics must be at most 256 bytes long");
    std::vector<std::string> many;
    for (int i = 0; i < 257; ++i)
        many.push_back(std::to_string(i));
    CHECK(code(many) == "topics must be at most 256 for one subscriber");
}
