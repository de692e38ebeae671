#include "core/bus_world.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
using Payloads = std::vector<std::string>;

TEST_CASE("topics are parted by colons, * stands for a part, and at the end for all that follow",
          "[bus][topics]")
{
    struct Case {
        std::string subscribed;
        std::vector<std::string> matching;
        std::vector<std::string> others;
    };
    const std::vector<Case> cases{
        {"*", {"a", "a:b", "a:b:c", "", "any text, even ü"}, {"dead-letter"}},
        {"a:*", {"a:b", "a:b:c", "a:"}, {"a", "b:a", "ab:c"}},
        {"*:b", {"a:b", ":b", "x:b"}, {"b", "a:b:c", "a:c"}},
        {"*:*", {"a:b", "a:b:c"}, {"a"}},
        {"a:*:c", {"a:b:c", "a::c"}, {"a:c", "a:b:b:c"}},
        {"a", {"a"}, {"b", "a:b", "A"}},
        {"a*", {"a*"}, {"ab"}},
        {"dead-letter", {"dead-letter"}, {}},
    };
    for (const auto& [subscribed, matching, others] : cases) {
        INFO(subscribed);
        TopicIndex<int> index;
        index.add(subscribed, 1);
        index.add(subscribed, 2);
        const auto found = [&index](const std::string& topic) {
            std::vector<int> keys;
            index.match(topic, keys);
            return keys;
        };
        for (const auto& topic : matching)
            if (topic != dead_letter_topic)
                CHECK(found(topic) == std::vector{1, 2});
        for (const auto& topic : others)
            if (topic != dead_letter_topic)
                CHECK(found(topic).empty());
        CHECK(index.topics() == 1);
        index.remove(subscribed, 1);
        CHECK(index.topics() == 1);
        index.remove(subscribed, 2);
        CHECK(index.topics() == 0);
        for (const auto& topic : matching)
            CHECK(found(topic).empty());
    }
}

TEST_CASE("one topic can be published to: no wildcard, and not the dead letters'", "[bus][topics]")
{
    for (const auto* topic : {"a", "a:b", "a*", "**", "dead-letter:x"})
        CHECK(is_publishable(topic));
    for (const auto* topic : {"*", "a:*", "*:a", "a:*:b", "dead-letter"})
        CHECK_FALSE(is_publishable(topic));
    BusWorld world;
    CHECK(world.publish("a:*").error().code == ErrorCode::invalid_field);
}

TEST_CASE("the most urgent goes first: 0 is critical, and among equals the oldest", "[bus]")
{
    BusWorld world;
    const auto worker = world.connect("w1");
    REQUIRE(world.subscribe(worker, {"*"}));
    world.delivering = false;
    REQUIRE(world.publish("a", message("1", Priority::low)));
    REQUIRE(world.publish("a", message("2", Priority::normal)));
    REQUIRE(world.publish("a", message("3", static_cast<Priority>(0))));
    REQUIRE(world.publish("a", message("4", Priority::high, Guarantee::at_most_once)));
    REQUIRE(world.publish("a", message("5", Priority::critical)));
    world.delivering = true;
    world.advance(0ms);
    CHECK(world.payloads(worker) == Payloads{"3", "5", "4", "2", "1"});
}

TEST_CASE("a low priority is not starved by more and more critical messages", "[bus]")
{
    BusLimits bus;
    bus.in_flight_max = 1;
    bus.ack_timeout = 24h;
    auto limits = with(bus);
    limits.aging = 1s;
    BusWorld world(limits);
    const auto worker = world.connect("w1");
    REQUIRE(world.subscribe(worker, {"*"}));
    REQUIRE(world.publish("a", message("first", Priority::critical)));
    REQUIRE(world.publish("a", message("low", Priority::low)));
    int came_after = 0;
    for (bool come = false; !come && came_after < 1000; ++came_after) {
        REQUIRE(world.publish("a", message("critical", Priority::critical)));
        REQUIRE(world.publish("a", message("critical", Priority::critical))); // faster than they are taken
        world.advance(100ms);
        for (const auto& arrival : world.arrivals(worker)) {
            come = come || arrival.message.payload.view() == "low";
            REQUIRE(world.ack(worker, arrival.message.id));
        }
    }
    CHECK(came_after >= 30); // three levels at a second each
    CHECK(came_after < 90);  // by then it is older than the critical ones that wait
}

TEST_CASE("what is not acknowledged is sent again, each time after twice as long, and then is a dead letter",
          "[bus]")
{
    BusLimits bus;
    bus.ack_timeout = 100ms;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    REQUIRE(world.publish("a", to("w1", "{}"), worker));
    std::vector<std::int64_t> times;
    const auto begin = world.now;
    for (int ms = 0; ms < 3000; ++ms) {
        for (const auto& arrival : world.arrivals(worker)) {
            times.push_back((world.now - begin).count());
            CHECK(arrival.attempt == times.size());
            CHECK(arrival.message.sender.view() == "w1");
        }
        world.advance(1ms);
    }
    CHECK(times == std::vector<std::int64_t>{0, 100, 300, 700});
    const auto letters = world.letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].topic.view() == "a");
    CHECK(letters[0].reason.view() == "MAX_RETRIES");
    CHECK(letters[0].receivers->front().view() == "w1");
    CHECK(letters[0].published_at - begin == 1500ms);
    CHECK(world.quota().messages == 0);
    CHECK(world.office->counters().retried == 3);
}

TEST_CASE("maxRetries 0 is one try", "[bus]")
{
    BusLimits bus;
    bus.ack_timeout = 100ms;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    auto once = to("w1", "1");
    once.max_retries = 0;
    REQUIRE(world.publish("a", once));
    world.advance(1s);
    CHECK(world.payloads(worker) == Payloads{"1"});
    CHECK(world.letters().size() == 1);
}

TEST_CASE("a try that ends with its connection counts: what kills its receiver becomes a dead letter",
          "[bus]")
{
    BusLimits bus;
    bus.ack_timeout = 1h;
    BusWorld world(with(bus));
    world.disconnect(world.connect("w1"));
    REQUIRE(world.publish("a", to("w1", "1")));
    REQUIRE(world.publish("a", to("w1", "2", Guarantee::at_most_once)));
    for (std::uint32_t time = 1; time <= 4; ++time) {
        CHECK(world.letters().empty());
        const auto worker = world.connect("w1");
        const auto arrivals = world.arrivals(worker);
        REQUIRE(arrivals.size() == (time == 1 ? 2 : 1)); // what is sent at most once does not come again
        CHECK(arrivals[0].attempt == time);
        if (time % 2 == 0)
            world.disconnect(worker); // else another connection takes the worker over
    }
    REQUIRE(world.letters().size() == 1);
    CHECK(world.letters()[0].reason.view() == "MAX_RETRIES");
    CHECK(world.payloads(world.connect("w1")).empty());
    CHECK(world.quota().messages == 0);
}

TEST_CASE("what was never sent waits for its worker until its ttl", "[bus]")
{
    BusLimits bus;
    bus.in_flight_max = 1;
    BusWorld world(with(bus));
    world.disconnect(world.connect("w1"));
    for (const auto* payload : {"1", "2"}) {
        auto lasting = to("w1", payload);
        lasting.ttl = 10s;
        lasting.max_retries = 1000;
        REQUIRE(world.publish("a", lasting));
    }
    for (int time = 0; time < 9; ++time) {
        const auto worker = world.connect("w1");
        CHECK(world.payloads(worker) == Payloads{"1"});
        world.disconnect(worker);
        world.advance(1s);
    }
    CHECK(world.letters().empty());
    world.advance(1s);
    REQUIRE(world.letters().size() == 2);
    CHECK(world.letters()[0].reason.view() == "EXPIRED");
    CHECK(world.payloads(world.connect("w1")).empty());
    CHECK(world.quota().messages == 0);
}

TEST_CASE("a recipient needs no subscription, but must be known", "[bus]")
{
    BusWorld world;
    CHECK(world.publish("a", to("nobody", "1")).error().code == ErrorCode::worker_not_found);
    const auto first = world.connect("w1");
    const auto second = world.connect("w2");
    REQUIRE(world.subscribe(second, {"*"}));
    REQUIRE(world.publish("a", to("w1", "1")));
    CHECK(world.payloads(first) == Payloads{"1"});
    CHECK(world.payloads(second).empty());
}

TEST_CASE(
    "a message is bound to those whose topics match when it is published, and each acknowledges for itself",
    "[bus]")
{
    BusLimits bus;
    bus.ack_timeout = 1s;
    BusWorld world(with(bus));
    const auto first = world.connect("w1");
    const auto second = world.connect("w2");
    const auto socket = world.connect();
    REQUIRE(world.subscribe(first, {"a:*", "a:b"}));
    REQUIRE(world.subscribe(second, {"*"}));
    REQUIRE(world.subscribe(socket, {"a:b"}));
    const auto id = world.publish("a:b", message("1"))->message;
    const auto late = world.connect("w3");
    REQUIRE(world.subscribe(late, {"*"}));
    CHECK(world.payloads(first) == Payloads{"1"}); // once, though two of its topics match
    CHECK(world.payloads(second) == Payloads{"1"});
    CHECK(world.payloads(socket) == Payloads{"1"});
    REQUIRE(world.ack(first, id));
    REQUIRE(world.ack(first, id)); // again is fine
    REQUIRE(world.ack(late, id));  // and changes nothing
    world.advance(1s);
    CHECK(world.payloads(first).empty());
    CHECK(world.payloads(second) == Payloads{"1"});
    CHECK(world.payloads(socket) == Payloads{"1"});
    CHECK(world.payloads(late).empty());
    REQUIRE(world.ack(second, id));
    CHECK(world.engine->store().messages().size() == 0);
    CHECK(world.quota().messages == 1); // the socket has still to acknowledge
    REQUIRE(world.ack(socket, id));
    CHECK(world.quota().messages == 0);
    CHECK(world.quota().bytes == 0);
}
