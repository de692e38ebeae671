#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

namespace {

void deliver(FakeDaemon& daemon, std::string_view id, int attempt = 1)
{
    daemon.send({{"type", "message"},
                 {"messageId", id},
                 {"topic", "news"},
                 {"payload", {{"n", 1}}},
                 {"sender", "w2"},
                 {"priority", "high"},
                 {"attempt", attempt}});
}

struct Fixture {
    FakeDaemon daemon;
    Diary diary;
    std::mutex held; ///< while it is locked, handlers wait
    bool throws = false;
    ClientThread client;

    explicit Fixture(std::size_t ids_max = 100) : client(options(daemon, ids_max))
    {
        client->on_message([this](const ReceivedMessage& message) {
            diary.note("begun " + message.id);
            const std::lock_guard lock(held);
            diary.note("message " + message.id + " " + message.topic + " " + message.sender + " " +
                       message.priority + " " + std::to_string(message.attempt));
            if (throws)
                throw std::runtime_error("no");
        });
        auto connecting = client->connect(use_future);
        daemon.accept();
        daemon.register_worker();
        success(std::move(connecting));
    }
    ~Fixture() { daemon.drop(); }

    static CoordinationClientOptions options(const FakeDaemon& daemon, std::size_t ids_max)
    {
        auto all = Probe::options(daemon.ws_port());
        all.message_ids_max = ids_max;
        return all;
    }

    void acknowledged(std::string_view id) { CHECK(text(daemon.expect_and_agree("ack"), "messageId") == id); }
};

} // namespace

SCENARIO("a message is published with all that it was given", "[client]")
{
    Fixture peer;
    Publication publication{.topic = "news",
                            .payload = {{"n", 1}},
                            .priority = "critical",
                            .recipient = "w2",
                            .guarantee = DeliveryGuarantee::exactly_once,
                            .ttl = std::chrono::milliseconds{500},
                            .max_retries = 0,
                            .message_id = "m1"};
    auto publishing = peer.client->publish(publication, use_future);
    const auto sent = peer.daemon.expect_and_agree("publish");
    success(std::move(publishing));
    CHECK(text(sent, "topic") == "news");
    CHECK(integer(sent, "payload.n") == 1);
    CHECK(text(sent, "priority") == "critical");
    CHECK(text(sent, "recipient") == "w2");
    CHECK(text(sent, "guarantee") == "exactly-once");
    CHECK(integer(sent, "ttl") == 500);
    CHECK(integer(sent, "maxRetries") == 0);
    CHECK(text(sent, "messageId") == "m1");
    CHECK(Publication{.topic = "a"}.message_id != Publication{.topic = "a"}.message_id);
}

SCENARIO("a message is acknowledged when its handler has returned, not before", "[client]")
{
    Fixture peer;
    std::unique_lock held(peer.held);
    deliver(peer.daemon, "m1");
    peer.diary.await("begun m1");
    peer.client->publish({.topic = "meanwhile"}, boost::asio::detached);
    peer.daemon.expect_and_agree("publish"); // the next word is not the ack
    held.unlock();
    peer.acknowledged("m1");
    peer.diary.await("message m1 news w2 high 1");
}

SCENARIO("a message that is delivered again is acknowledged again and handled once", "[client]")
{
    Fixture peer;
    deliver(peer.daemon, "m1");
    peer.acknowledged("m1");
    WHEN("the acknowledgement was lost with its connection")
    {
        peer.daemon.accept();
        peer.daemon.register_worker();
        deliver(peer.daemon, "m1", 2);
        peer.acknowledged("m1");
    }
    WHEN("it is over the same connection")
    {
        deliver(peer.daemon, "m1", 2);
        peer.acknowledged("m1");
    }
    deliver(peer.daemon, "m2");
    peer.acknowledged("m2");
    CHECK(peer.diary.count("begun m1") == 1);
    CHECK(peer.client->get_metrics().bus_messages_duplicate == 1);
}

SCENARIO("a message that is delivered again while it is handled is handled once", "[client]")
{
    Fixture peer;
    std::unique_lock held(peer.held);
    deliver(peer.daemon, "m1");
    peer.diary.await("begun m1");
    deliver(peer.daemon, "m1", 2);
    held.unlock();
    peer.acknowledged("m1");
    deliver(peer.daemon, "m2");
    auto id = text(peer.daemon.expect_and_agree("ack"), "messageId");
    if (id == "m1") // the second came after the first was handled: it is acknowledged for itself
        id = text(peer.daemon.expect_and_agree("ack"), "messageId");
    CHECK(id == "m2");
    CHECK(peer.diary.count("begun m1") == 0);
}

SCENARIO("a message whose handler threw is not acknowledged, and handled when it is delivered again",
         "[client]")
{
    Fixture peer;
    peer.throws = true;
    deliver(peer.daemon, "m1");
    peer.diary.await("message m1 news w2 high 1");
    peer.client->publish({.topic = "meanwhile"}, boost::asio::detached);
    peer.daemon.expect_and_agree("publish"); // the next word is not the ack
    peer.throws = false;
    deliver(peer.daemon, "m1", 2);
    peer.acknowledged("m1");
    peer.diary.await("message m1 news w2 high 2");
}

SCENARIO("no more ids are remembered than were agreed", "[client]")
{
    Fixture peer(2);
    for (const auto* id : {"m1", "m2", "m3"}) {
        deliver(peer.daemon, id);
        peer.acknowledged(id);
    }
    deliver(peer.daemon, "m3", 2);
    peer.acknowledged("m3");
    deliver(peer.daemon, "m1", 2); // forgotten
    peer.acknowledged("m1");
    CHECK(peer.diary.count("begun m3") == 1);
    CHECK(peer.diary.count("begun m1") == 2);
}

SCENARIO("topics of the bus are followed, given up, and told again after a reconnect", "[client]")
{
    Fixture peer;
    auto following = peer.client->subscribe_messages({"news", "alerts:*"}, use_future);
    CHECK(field(peer.daemon.expect_and_agree("subscribe_messages"), "topics") ==
          boost::json::array{"news", "alerts:*"});
    success(std::move(following));
    auto leaving = peer.client->unsubscribe_messages({"news"}, use_future);
    CHECK(field(peer.daemon.expect_and_agree("unsubscribe_messages"), "topics") ==
          boost::json::array{"news"});
    success(std::move(leaving));
    peer.daemon.accept();
    peer.daemon.register_worker();
    CHECK(field(peer.daemon.expect_and_agree("subscribe_messages"), "topics") ==
          boost::json::array{"alerts:*"});
}
