#include "core/bus_world.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
using Payloads = std::vector<std::string>;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20U;

std::string of_bytes(std::size_t bytes)
{
    return std::string(bytes, '1');
}

/// Publishes until it is refused: how often it was not.
int fill(BusWorld& world, std::string_view recipient)
{
    for (int count = 0;; ++count)
        if (const auto result = world.publish("a", to(recipient, "1")); !result) {
            CHECK(result.error().code == ErrorCode::queue_full);
            return count;
        }
}

} // namespace

TEST_CASE("a backlog of what is kept pushes out nothing of what may be lost", "[bus][shares]")
{
    BusLimits bus;
    bus.queue_bytes_max = 64 * mib; // a tenth is less than 8 MiB, which each may have
    BusWorld world(with(bus));
    world.disconnect(world.connect("w1"));
    for (int i = 0; i < 3; ++i)
        REQUIRE(world.publish("a", to("w1", of_bytes(4 * mib))));
    REQUIRE(world.publish("a", to("w1", "2", Guarantee::at_most_once)));
    CHECK(world.office->counters().dropped == 0);
    CHECK(world.payloads(world.connect("w1")).back() == "2");
}

TEST_CASE("who watches the dead letters is not cut off for their number", "[bus][shares]")
{
    BusLimits bus;
    bus.dead_letters_max = 3000;
    BusWorld world(with(bus));
    world.disconnect(world.connect("w1"));
    for (int i = 0; i < 1500; ++i) {
        auto hopeless = to("w1", "1");
        hopeless.ttl = 1ms;
        REQUIRE(world.publish("a", hopeless));
    }
    world.advance(1ms);
    const auto undertaker = world.connect();
    REQUIRE(world.subscribe(undertaker, {"b", std::string(dead_letter_topic)}));
    REQUIRE(world.publish("b", message("2")));
    CHECK(world.office->take_overfull().empty());
    CHECK(world.office->letters() == 1500);
}

TEST_CASE("one receiver fills half of the queue, and however many there are, the others go on",
          "[bus][shares]")
{
    BusLimits bus;
    bus.queue_messages_max = 100'000;
    BusWorld world(with(bus));
    const auto good = world.connect("good");
    for (int hog = 1; hog <= 5; ++hog)
        world.disconnect(world.connect("hog" + std::to_string(hog)));
    CHECK(fill(world, "hog1") == 50'000);
    CHECK(fill(world, "hog2") == 25'000);
    for (int hog = 3; hog <= 5; ++hog)
        CHECK(fill(world, "hog" + std::to_string(hog)) > 1000);
    const auto refused = world.publish("a", to("hog1", "1"));
    CHECK(refused.error().message.find("hog1") != std::string::npos);
    for (int i = 0; i < 3; ++i) {
        const auto result = world.publish("a", to("good", "2"));
        REQUIRE(result);
        REQUIRE(world.ack(good, result->message));
    }
    CHECK(world.payloads(good) == Payloads{"2", "2", "2"});

    const auto back = world.connect("hog1"); // and what it takes makes room
    for (auto arrivals = world.arrivals(back); !arrivals.empty(); arrivals = world.arrivals(back))
        for (const auto& arrival : arrivals)
            REQUIRE(world.ack(back, arrival.message.id));
    world.disconnect(back);
    CHECK(fill(world, "hog1") > 0);
}

TEST_CASE("the same in bytes", "[bus][shares]")
{
    BusLimits bus;
    bus.queue_bytes_max = 40 * mib;
    BusWorld world(with(bus));
    world.disconnect(world.connect("hog"));
    world.disconnect(world.connect("w1"));
    int taken = 0;
    while (world.publish("a", to("hog", of_bytes(mib))))
        ++taken;
    CHECK(taken == 20);
    CHECK(world.publish("a", to("w1", of_bytes(mib))));
}

TEST_CASE("a broadcast passes by who has its share: for that one it is a dead letter", "[bus][shares]")
{
    BusLimits bus;
    bus.queue_messages_max = 2000;
    bus.dead_letters_max = 30;
    BusWorld world(with(bus));
    const auto good = world.connect("good");
    const auto hog = world.connect("hog");
    REQUIRE(world.subscribe(hog, {"*"}));
    world.disconnect(hog);
    auto hopeless = to("good", "precious");
    hopeless.ttl = 1ms;
    world.delivering = false;
    REQUIRE(world.publish("a", hopeless));
    world.advance(1ms);
    world.delivering = true;
    CHECK(fill(world, "hog") == 1000);
    const auto alone = world.publish("a", message("1"));
    CHECK(alone.error().code == ErrorCode::queue_full); // there is nobody else
    CHECK(world.publish("a", message("1", Priority::normal, Guarantee::at_most_once)));

    REQUIRE(world.subscribe(good, {"*"}));
    const auto undertaker = world.connect();
    REQUIRE(world.subscribe(undertaker, {std::string(dead_letter_topic)}));
    for (int i = 0; i < 100; ++i) {
        const auto result = world.publish("a", message("2"));
        REQUIRE(result);
        REQUIRE(world.ack(good, result->message));
    }
    CHECK(world.payloads(good).size() == 100);
    const auto letters = world.letters();
    CHECK(letters.size() == 30);
    CHECK(letters.front().payload.view() == "precious"); // they push out their own alone
    CHECK(letters.back().reason.view() == "QUEUE_FULL");
    CHECK(*letters.back().receivers == std::vector{WorkerId(std::string_view("hog"))});
    CHECK(world.office->letters() == 30);
    CHECK(world.arrivals(undertaker).size() == 101);
    CHECK(world.office->counters().dropped == 71);
}

TEST_CASE("one broadcast that nobody takes leaves the dead letters of others alone", "[bus][shares]")
{
    constexpr int receivers = 3000;
    BusLimits bus;
    bus.ack_timeout = 100ms;
    bus.dead_letters_max = 40;
    BusWorld world(with(bus));
    for (int i = 0; i < receivers; ++i)
        REQUIRE(world.subscribe(world.connect("w" + std::to_string(i)), {"all"}));
    for (int i = 0; i < 5; ++i) {
        auto hopeless = to("w1", "precious");
        hopeless.max_retries = 0;
        REQUIRE(world.publish("a", hopeless));
    }
    world.advance(100ms);
    REQUIRE(world.letters().size() == 5);
    auto hopeless = message("1");
    hopeless.max_retries = 0;
    REQUIRE(world.publish("all", hopeless));
    world.advance(100ms);
    const auto letters = world.letters();
    CHECK(letters.size() == 40);
    CHECK(std::ranges::count(letters, std::string("precious"), [](const BusMessage& letter) {
              return std::string(letter.payload.view());
          }) == 5);
    CHECK(letters.back().receivers->size() > 1); // one tells of many
    CHECK(world.quota().messages == 0);
}

TEST_CASE("what a message takes is counted with each that has still to get it", "[bus][shares]")
{
    BusWorld world;
    std::vector<Caller> callers;
    for (int i = 0; i < 100; ++i) {
        callers.push_back(world.connect(i % 2 == 0 ? "w" + std::to_string(i) : ""));
        REQUIRE(world.subscribe(callers.back(), {"a"}));
    }
    const auto id = world.publish("a", message("1"))->message;
    const auto all = world.quota().bytes;
    CHECK(all >= 100 * parcel_bytes + 500);
    REQUIRE(world.ack(callers[0], id));
    REQUIRE(world.ack(callers[1], id));
    CHECK(world.quota().bytes == all - 2 * parcel_bytes);
    for (const auto& caller : callers)
        REQUIRE(world.ack(caller, id));
    CHECK(world.quota().bytes == 0);

    BusLimits bus;
    bus.queue_bytes_max = all - 1;
    BusWorld narrow(with(bus));
    for (int i = 0; i < 100; ++i)
        REQUIRE(narrow.subscribe(narrow.connect("w" + std::to_string(i)), {"a"}));
    CHECK(narrow.publish("a", message("1")).error().code == ErrorCode::queue_full);
}

TEST_CASE("however much is due, a turn looks at no more than it is told to", "[bus][shares]")
{
    constexpr std::size_t most = 16;
    BusLimits bus;
    bus.ack_timeout = 100ms;
    BusWorld world(with(bus));
    for (int i = 0; i < 100; ++i)
        REQUIRE(world.subscribe(world.connect("w" + std::to_string(i)), {"all"}));
    auto hopeless = message("1");
    hopeless.max_retries = 0;
    for (int i = 0; i < 3; ++i)
        REQUIRE(world.publish("all", hopeless));
    const auto burials = world.office->due(world.now + 100ms, most);
    const auto buried = std::accumulate(burials.begin(), burials.end(), std::size_t{0},
                                        [](std::size_t sum, const BuryMessage& burial) {
                                            return sum + burial.receivers.size() + burial.sockets.size();
                                        });
    CHECK(buried == most);

    BusWorld other;
    const auto socket = other.connect();
    REQUIRE(other.subscribe(socket, {"*"}));
    for (int i = 0; i < 900; ++i)
        REQUIRE(other.publish("a", message("1")));
    other.office->close(socket.session); // what waited for it goes in slices, too
    CHECK(other.quota().messages == 900);
    CHECK(other.office->due(other.now, most).empty());
    CHECK(other.quota().messages == 900 - most);
    CHECK(other.office->next_due() <= other.now);
    CHECK(other.office->gauges().sockets == 0);
    other.advance(0ms);
    CHECK(other.quota().messages == 0);
}

TEST_CASE("of what may be lost, many that are away leave room for others", "[bus][shares]")
{
    BusLimits bus;
    bus.queue_messages_max = 20'000;
    BusWorld world(with(bus));
    for (int hog = 0; hog < 15; ++hog) {
        const auto name = "hog" + std::to_string(hog);
        world.disconnect(world.connect(name));
        for (int i = 0; i < 3000; ++i)
            REQUIRE(world.publish("a", to(name, "1", Guarantee::at_most_once)));
    }
    CHECK(world.publish("a", to("hog1", "1")));
}
