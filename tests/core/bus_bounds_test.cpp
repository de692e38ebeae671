#include "core/bus_world.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
using Payloads = std::vector<std::string>;

TEST_CASE("a repeated id is a duplicate while it waits, and within the window behind that", "[bus]")
{
    BusLimits bus;
    bus.dedup_window = 10s;
    bus.dedup_count = 2;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    REQUIRE(world.subscribe(worker, {"*"}));
    CHECK_FALSE(world.publish("a", named("m", "1"))->duplicate);
    CHECK(world.publish("a", named("m", "2"))->duplicate);
    CHECK(world.publish("other", named("m", "2"))->message.view() == "m");
    REQUIRE(world.ack(worker, MessageId(std::string_view("m"))));
    world.advance(9999ms);
    CHECK(world.publish("a", named("m", "3"))->duplicate);
    world.advance(1ms);
    CHECK_FALSE(world.publish("a", named("m", "4"))->duplicate);
    CHECK(world.payloads(worker) == Payloads{"1", "4"});

    for (const auto* id : {"x", "y", "z"}) { // more than are remembered
        REQUIRE(world.publish("a", named(id, "5")));
        REQUIRE(world.ack(worker, MessageId(std::string_view(id))));
    }
    CHECK_FALSE(world.publish("a", named("x", "6"))->duplicate);
    CHECK(world.publish("a", named("z", "6"))->duplicate);
}

TEST_CASE("an id is known as long as a socket has still to get its message, and the window behind that",
          "[bus]")
{
    BusLimits bus;
    bus.dedup_window = 1s;
    bus.ack_timeout = 1h;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    const auto socket = world.connect();
    const bool for_sockets_alone = GENERATE(false, true);
    if (!for_sockets_alone)
        REQUIRE(world.subscribe(worker, {"a"}));
    REQUIRE(world.subscribe(socket, {"a"}));
    const MessageId id(std::string_view("m"));
    REQUIRE(world.publish("a", named("m", "1")));
    REQUIRE(world.ack(worker, id));
    world.advance(5s); // behind the window
    CHECK(world.publish("a", named("m", "2"))->duplicate);
    REQUIRE(world.ack(socket, id));
    CHECK(world.quota().messages == 0);
    world.advance(999ms);
    CHECK(world.publish("a", named("m", "3"))->duplicate);
    const auto revision = world.engine->store().revision();
    REQUIRE(world.ack(socket, id)); // which changes nothing
    CHECK(world.engine->store().revision() == revision);
    world.advance(1ms);
    CHECK_FALSE(world.publish("a", named("m", "4"))->duplicate);
    CHECK(world.payloads(socket) == Payloads{"1", "4"});
}

TEST_CASE("an id used again behind its window is another message, whatever became of the first", "[bus]")
{
    BusLimits bus;
    bus.dedup_window = 1s;
    bus.ack_timeout = 1h;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    const auto socket = world.connect();
    REQUIRE(world.subscribe(worker, {"a"}));
    REQUIRE(world.subscribe(socket, {"a"}));
    auto first = named("m", "1");
    first.ttl = 10s;
    REQUIRE(world.publish("a", first));
    REQUIRE(world.ack(worker, MessageId(std::string_view("m"))));
    world.advance(10s); // it has expired for the socket
    REQUIRE(world.letters().size() == 1);
    CHECK(world.letters()[0].payload.view() == "1");
    CHECK(world.letters()[0].receivers->size() == 1);
    REQUIRE(world.publish("a", named("m", "2")));
    CHECK(world.payloads(worker) == Payloads{"1", "2"});
    world.disconnect(worker);
    CHECK(world.payloads(world.connect("w1")) == Payloads{"2"}); // it waits still
}

TEST_CASE("the window survives a restart, and so does a message for which nobody was there to wait", "[bus]")
{
    BusWorld world;
    CHECK_FALSE(world.publish("a", named("m", "1"))->duplicate);
    world.restart();
    CHECK(world.publish("a", named("m", "1"))->duplicate);
}

TEST_CASE("ids that the bus makes are never given twice, and publishers cannot choose them", "[bus]")
{
    BusWorld world;
    const auto worker = world.connect("w1");
    REQUIRE(world.subscribe(worker, {"*"}));
    std::set<std::string> ids;
    for (int i = 0; i < 40; ++i) {
        const auto guarantee = static_cast<Guarantee>(i % 3);
        const auto result = world.publish(i % 2 == 0 ? "a" : "", message("2", Priority::low, guarantee));
        CHECK(ids.insert(std::string(result->message.view())).second);
        CHECK(world.publish("a", named(result->message.view(), "3")).error().code ==
              ErrorCode::invalid_field);
    }
}

TEST_CASE("a full queue refuses, in messages and in bytes, and takes again when there is room", "[bus]")
{
    BusLimits bus;
    bus.queue_messages_max = 3;
    bus.queue_bytes_max = 6000;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    std::vector<MessageId> ids;
    for (int i = 0; i < 3; ++i)
        ids.push_back(world.publish("a", to("w1", "1"))->message);
    const auto revision = world.engine->store().revision();
    for (const auto guarantee : {Guarantee::at_most_once, Guarantee::at_least_once}) {
        const auto refused = world.publish("a", to("w1", "2", guarantee));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == ErrorCode::queue_full);
    }
    CHECK(world.engine->store().revision() == revision);
    REQUIRE(world.ack(worker, ids[1]));
    CHECK_FALSE(world.publish("a", to("w1", std::string(6000, '1'))));
    CHECK(world.publish("a", to("w1", std::string(2000, '1'))));
    CHECK_FALSE(world.publish("a", to("w1", "1")));
}

TEST_CASE("no more than the window is in flight to one receiver", "[bus]")
{
    BusLimits bus;
    bus.in_flight_max = 4;
    BusWorld world(with(bus));
    const auto worker = world.connect("w1");
    for (int i = 0; i < 10; ++i)
        REQUIRE(world.publish("a", to("w1", std::to_string(i))));
    auto arrivals = world.arrivals(worker);
    CHECK(arrivals.size() == 4);
    for (const auto& arrival : arrivals)
        REQUIRE(world.ack(worker, arrival.message.id));
    CHECK(world.payloads(worker) == Payloads{"4", "5", "6", "7"});
}

TEST_CASE("dead letters wait for a subscriber, go to each until one acknowledges, and the oldest go", "[bus]")
{
    BusLimits bus;
    bus.ack_timeout = 100ms;
    bus.dead_letters_max = 3;
    BusWorld world(with(bus));
    const auto all = world.connect("all");
    REQUIRE(world.subscribe(all, {"*"}));
    for (int i = 0; i < 5; ++i) {
        auto hopeless = message(std::to_string(i));
        hopeless.ttl = 10ms + std::chrono::milliseconds(i);
        REQUIRE(world.publish("a", hopeless));
    }
    world.advance(1s);
    CHECK(world.letters().size() == 3);
    CHECK(world.office->counters().dropped == 2);
    CHECK(world.payloads(all).size() == 5); // and no dead letter: * does not stand for that topic

    const auto first = world.connect("undertaker");
    REQUIRE(world.subscribe(first, {"dead-letter"}));
    const auto second = world.connect();
    REQUIRE(world.subscribe(second, {"dead-letter"}));
    const auto letters = world.arrivals(first);
    REQUIRE(letters.size() == 3);
    CHECK(world.arrivals(second).size() == 3);
    CHECK(letters[0].message.payload.view() == "2");
    REQUIRE(world.ack(second, letters[0].message.id));
    CHECK(world.letters().size() == 2);
    world.disconnect(first);
    const auto again = world.connect("undertaker"); // its topics outlived the socket
    CHECK(world.payloads(again) == Payloads{"3", "4"});
    world.restart();
    CHECK(world.payloads(world.connect("undertaker")) == Payloads{"3", "4"});
    CHECK(world.quota().messages == 0);
}

TEST_CASE("what waits for a worker that is unregistered becomes dead letters", "[bus]")
{
    BusWorld world;
    world.disconnect(world.connect("w1"));
    REQUIRE(world.publish("a", to("w1", "1")));
    REQUIRE(world.publish("a", to("w1", "2", Guarantee::at_most_once)));
    REQUIRE(world.call(UnregisterWorker{WorkerId(std::string_view("w1"))}));
    world.advance(0ms);
    REQUIRE(world.letters().size() == 1);
    CHECK(world.letters()[0].reason.view() == "WORKER_UNREGISTERED");
    CHECK(world.quota().messages == 0);
    CHECK(world.office->counters().dropped == 1);
}

TEST_CASE("a worker's topics outlive its socket, a socket's own do not", "[bus]")
{
    BusWorld world;
    auto worker = world.connect("w1");
    const auto socket = world.connect();
    REQUIRE(world.subscribe(worker, {"a", "b"}));
    REQUIRE(world.subscribe(socket, {"a"}));
    world.disconnect(worker);
    world.disconnect(socket);
    REQUIRE(world.publish("a", message("1")));
    REQUIRE(world.publish("b", message("2")));
    CHECK(world.payloads(world.connect("w1")) == Payloads{"1", "2"});
    CHECK(world.arrivals(world.connect()).empty());
    world.restart();
    worker = world.connect("w1");
    CHECK(world.payloads(worker) == Payloads{"1", "2"});
    REQUIRE(world.call(UnsubscribeMessages{MessageTopics{"a"}}, worker));
    REQUIRE(world.publish("a", message("3")));
    REQUIRE(world.publish("b", message("4")));
    CHECK(world.payloads(worker) == Payloads{"4"});
    REQUIRE(world.call(UnsubscribeMessages{}, worker));
    REQUIRE(world.publish("b", message("5")));
    CHECK(world.payloads(worker).empty());
}

TEST_CASE("who may be lost drops the oldest of one slow receiver, and who is no worker is cut off", "[bus]")
{
    BusLimits bus;
    bus.queue_messages_max = 5000; // a share is 1000
    BusWorld world(with(bus));
    world.disconnect(world.connect("w1"));
    for (int i = 0; i < 1003; ++i)
        REQUIRE(world.publish("a", to("w1", std::to_string(i), Guarantee::at_most_once)));
    CHECK(world.office->counters().dropped == 3);
    CHECK(world.payloads(world.connect("w1")).front() == "3");

    const auto socket = world.connect();
    REQUIRE(world.subscribe(socket, {"b"}));
    for (int i = 0; i < 1000; ++i)
        REQUIRE(world.publish("b", message("1")));
    CHECK(world.office->take_overfull().empty());
    REQUIRE(world.publish("b", message("1")));
    CHECK(world.office->take_overfull() == std::vector{socket.session});
    world.disconnect(socket);
    CHECK(world.quota().messages == 0);
}
