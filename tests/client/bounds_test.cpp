#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"

#include <catch2/catch.hpp>

#include <mutex>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

namespace {

/// A worker of whose events only so many may wait, with handlers that wait while `held` is locked.
struct Fixture {
    FakeDaemon daemon;
    Diary diary;
    std::mutex held;
    ClientThread client;

    explicit Fixture(std::size_t count_max, std::size_t bytes_max = 1U << 20U)
        : client(options(daemon, count_max, bytes_max))
    {
        client->on_state_change([this](const StateChange& change) {
            const std::lock_guard lock(held);
            diary.note("change " + std::to_string(change.revision));
        });
        client->on_message([this](const ReceivedMessage& message) {
            const std::lock_guard lock(held);
            diary.note("message " + message.id);
        });
        client->on_heartbeat_ack([this](std::int64_t at) {
            const std::lock_guard lock(held);
            diary.note("ack " + std::to_string(at));
        });
        client->on_error([this](const CallError& error) { diary.note("error " + error.message); });
        auto connecting = client->connect(use_future);
        daemon.accept();
        daemon.register_worker();
        success(std::move(connecting));
    }
    ~Fixture() { daemon.drop(); }

    static CoordinationClientOptions options(const FakeDaemon& daemon, std::size_t count_max,
                                             std::size_t bytes_max)
    {
        auto all = Probe::options(daemon.ws_port());
        all.event_count_max = count_max;
        all.event_bytes_max = bytes_max;
        return all;
    }

    void subscribe_at(int revision)
    {
        auto subscribed = client->subscribe({"tasks:*"}, {}, use_future);
        agree(daemon.expect("subscribe"), revision);
        success(std::move(subscribed));
    }

    void agree(const Json& asked, int revision)
    {
        daemon.send({{"type", "response"},
                     {"requestId", field(asked, "requestId")},
                     {"success", true},
                     {"revision", revision}});
    }

    void changes(int first, int last)
    {
        for (int revision = first; revision <= last; ++revision)
            daemon.send({{"type", "state_change"},
                         {"change",
                          {{"collection", "tasks"},
                           {"key", "t1"},
                           {"operation", "update"},
                           {"revision", revision}}}});
    }

    void deliver(std::string_view id)
    {
        daemon.send({{"type", "message"}, {"messageId", id}, {"topic", "news"}, {"payload", 1}});
    }

    /// The client has looked at all that was sent before.
    void settle()
    {
        auto call = client->call({{"type", "get_worker"}, {"workerId", "w1"}}, use_future);
        daemon.expect_and_agree("get_worker");
        success(std::move(call));
    }

    void seen(int first, int last)
    {
        for (int revision = first; revision <= last; ++revision) // each once, since await() crosses out, …
            CHECK(diary.await_beginning("change") == "change " + std::to_string(revision)); // … in order
    }
};

} // namespace

SCENARIO("changes that come faster than they are handled are put off, and none is lost", "[client]")
{
    Fixture peer(4);
    peer.subscribe_at(100);
    std::unique_lock held(peer.held);
    peer.changes(101, 110);
    peer.settle();
    CHECK(peer.client->get_metrics().events_waiting == 4);
    CHECK(peer.client->get_metrics().watch_pauses == 1);
    GIVEN("that their handler goes on over the same connection")
    {
        held.unlock();
    }
    GIVEN("that the connection was lost meanwhile")
    {
        peer.daemon.accept();
        peer.daemon.register_worker();
        peer.settle(); // nothing is asked for while there is no room
        held.unlock();
    }
    const auto asked = peer.daemon.expect("subscribe");
    CHECK(integer(asked, "since") == 104);
    CHECK(field(asked, "topics") == boost::json::array{"tasks:*"});
    peer.changes(111, 111); // what the daemon sent before it read that
    peer.agree(asked, 111);
    peer.changes(105, 106);
    peer.seen(101, 106);
    CHECK(peer.diary.count("change") == 0);
    CHECK(peer.client->get_metrics().events_dropped == 0);
}

SCENARIO("changes that wait are bounded by their bytes too, but one is always taken", "[client]")
{
    Fixture peer(100, 10);
    peer.subscribe_at(100);
    std::unique_lock held(peer.held);
    peer.changes(101, 102);
    peer.settle();
    CHECK(peer.client->get_metrics().events_waiting == 1);
    held.unlock();
    const auto asked = peer.daemon.expect("subscribe");
    CHECK(integer(asked, "since") == 101);
    peer.agree(asked, 102);
    peer.changes(102, 102);
    peer.seen(101, 102);
}

SCENARIO("a newer subscription takes the place of one that is behind", "[client]")
{
    Fixture peer(2);
    peer.subscribe_at(100);
    std::unique_lock held(peer.held);
    peer.changes(101, 103);
    peer.settle();
    auto subscribed = peer.client->subscribe({"workers:*"}, {}, use_future);
    peer.agree(peer.daemon.expect("subscribe"), 200);
    success(std::move(subscribed));
    held.unlock();
    peer.diary.await("error 1 changes were not told: their handler is too slow");
    peer.seen(101, 102);
    peer.changes(201, 201);
    peer.seen(201, 201);
    peer.settle(); // the next word was not a subscription to what is followed no more
}

SCENARIO("changes that cannot be asked for again are dropped beyond the bound, and their number is told",
         "[client]")
{
    Fixture peer(2); // it has not subscribed: the daemon follows what its metadata say
    std::unique_lock held(peer.held);
    peer.changes(101, 105);
    peer.settle();
    CHECK(peer.client->get_metrics().events_dropped == 3);
    held.unlock();
    peer.diary.await("error 3 changes were not told: their handler is too slow");
    peer.seen(101, 102);
}

SCENARIO("other events are dropped beyond the bound, and their number is told", "[client]")
{
    Fixture peer(3);
    std::unique_lock held(peer.held);
    for (int at = 1; at <= 10; ++at)
        peer.daemon.send({{"type", "heartbeat_ack"}, {"timestamp", at}});
    peer.settle();
    CHECK(peer.client->get_metrics().events_waiting == 3);
    CHECK(peer.client->get_metrics().events_dropped == 7);
    held.unlock();
    peer.diary.await("error 7 events were not told: their handlers are too slow");
    CHECK(peer.diary.count("ack") >= 1);
}

SCENARIO("messages beyond the bound are not acknowledged, and taken when they are delivered again",
         "[client]")
{
    Fixture peer(2);
    std::unique_lock held(peer.held);
    for (const auto* id : {"m1", "m2", "m3"})
        peer.deliver(id);
    peer.settle();
    CHECK(peer.client->get_metrics().bus_messages_refused == 1);
    held.unlock();
    for (int acknowledged = 0; acknowledged < 2; ++acknowledged)
        CHECK(text(peer.daemon.expect_and_agree("ack"), "messageId") != "m3");
    peer.diary.await("error 1 messages were turned away, unacknowledged: their handlers are too slow");
    peer.deliver("m3");
    CHECK(text(peer.daemon.expect_and_agree("ack"), "messageId") == "m3");
    peer.diary.await("message m3");
}
