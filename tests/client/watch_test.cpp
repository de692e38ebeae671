#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"
#include "support/deadline.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

namespace {

/// A client that is no worker and follows tasks from revision 100 on.
struct Fixture {
    FakeDaemon daemon;
    Probe client;

    Fixture()
        : client([&] {
              auto options = Probe::options(daemon.ws_port());
              options.worker_id.clear();
              return options;
          }())
    {
        auto connecting = client->connect(use_future);
        daemon.accept();
        success(std::move(connecting));
        auto subscribed = client->subscribe({"tasks:*"}, {.values = true}, use_future);
        const auto asked = daemon.expect("subscribe");
        CHECK(field(asked, "topics") == boost::json::array{"tasks:*"});
        CHECK(field(asked, "values") == true);
        CHECK_FALSE(has(asked, "since"));
        agree(asked, 100);
        success(std::move(subscribed));
    }

    void agree(const Json& asked, int revision)
    {
        daemon.send({{"type", "response"},
                     {"requestId", field(asked, "requestId")},
                     {"success", true},
                     {"revision", revision}});
    }

    void change(int revision)
    {
        daemon.send({{"type", "state_change"},
                     {"change",
                      {{"collection", "tasks"},
                       {"key", "t1"},
                       {"operation", "update"},
                       {"revision", revision},
                       {"value", {{"id", "t1"}}}}},
                     {"timestamp", 5}});
    }

    void seen(int revision) { client.await("change tasks:update:t1@" + std::to_string(revision)); }
};

} // namespace

SCENARIO("changes reach their handler whole", "[client]")
{
    FakeDaemon daemon;
    std::promise<StateChange> told;
    auto options = Probe::options(daemon.ws_port());
    options.worker_id.clear();
    ClientThread client(options);
    client->on_state_change([&](StateChange change) { told.set_value(std::move(change)); });
    client->connect(boost::asio::detached);
    daemon.accept();
    client->subscribe({"*"}, {.since = 7, .values = true}, boost::asio::detached);
    CHECK(field(daemon.expect_and_agree("subscribe"), "since") == 7);
    daemon.send({{"type", "state_change"},
                 {"change",
                  {{"collection", "workers"},
                   {"key", "w7"},
                   {"operation", "set"},
                   {"revision", 8},
                   {"value", {{"id", "w7"}}}}},
                 {"timestamp", 5}});
    auto future = told.get_future();
    REQUIRE(future.wait_for(patience) == std::future_status::ready);
    const auto change = future.get();
    CHECK(change.collection == "workers");
    CHECK(change.key == "w7");
    CHECK(change.operation == "set");
    CHECK(change.revision == 8);
    CHECK(text(change.value, "id") == "w7");
    CHECK(change.timestamp == 5);
    daemon.drop();
}

SCENARIO("after a reconnect changes go on where they stopped, each once and in order", "[client]")
{
    Fixture peer;
    peer.change(101);
    peer.change(103);
    peer.seen(103);
    peer.daemon.accept();
    const auto asked = peer.daemon.expect("subscribe");
    CHECK(field(asked, "since") == 103);
    CHECK(field(asked, "topics") == boost::json::array{"tasks:*"});
    peer.change(106); // as a daemon does that remembers what its worker follows
    peer.agree(asked, 107);
    for (const int revision : {104, 106, 108})
        peer.change(revision);
    peer.seen(108);
    CHECK(peer.client.diary.count("change tasks:update:t1@101") == 1);
    CHECK(peer.client.diary.count("change tasks:update:t1@104") == 1);
    CHECK(peer.client.diary.count("change tasks:update:t1@106") == 1);
}

SCENARIO("where the daemon has forgotten what was missed, the gap is told, and it goes on from the present",
         "[client]")
{
    Fixture peer;
    peer.daemon.accept();
    peer.daemon.refuse(peer.daemon.expect("subscribe"), "REVISION_COMPACTED");
    peer.client.await("error REVISION_COMPACTED It is refused");
    const auto asked = peer.daemon.expect("subscribe");
    CHECK_FALSE(has(asked, "since"));
    peer.agree(asked, 500);
    peer.change(501);
    peer.seen(501);
}

SCENARIO("a subscriber that would rather miss something than be cut off is told of each gap", "[client]")
{
    Fixture peer;
    auto subscribed = peer.client->subscribe({"*"}, {.coalesce = true, .budget = 1'000}, use_future);
    const auto asked = peer.daemon.expect("subscribe");
    CHECK(field(asked, "policy") == "coalesce");
    CHECK(integer(asked, "budget") == 1'000);
    peer.agree(asked, 110);
    success(std::move(subscribed));
    peer.daemon.send({{"type", "state_gap"}, {"from", 111}, {"to", 160}, {"changes", 50}, {"kept", 1}});
    peer.change(160);
    peer.client.await("gap 111-160 1 of 50");
    peer.seen(160);
    peer.daemon.accept(); // the next connection asks for the same
    const auto again = peer.daemon.expect("subscribe");
    CHECK(field(again, "policy") == "coalesce");
    CHECK(integer(again, "since") == 160);
}

SCENARIO("what was followed before does not come back over a newer subscription", "[client]")
{
    FakeDaemon daemon;
    Probe client(Probe::options(daemon.ws_port())); // a worker, whose heartbeats show the time passing
    const auto agree = [&](const Json& asked, int revision) {
        daemon.send({{"type", "response"},
                     {"requestId", field(asked, "requestId")},
                     {"success", true},
                     {"revision", revision}});
    };
    const auto change = [&](int revision) {
        daemon.send(
            {{"type", "state_change"},
             {"change",
              {{"collection", "tasks"}, {"key", "t1"}, {"operation", "set"}, {"revision", revision}}}});
    };
    auto connecting = client->connect(use_future);
    daemon.accept();
    daemon.register_worker();
    success(std::move(connecting));
    auto subscribed = client->subscribe({"tasks:*"}, {}, use_future);
    agree(daemon.expect("subscribe"), 100);
    success(std::move(subscribed));
    daemon.accept();
    daemon.register_worker();
    const auto resumption = daemon.expect("subscribe");
    std::future<Answer> newer;
    Json asked;
    const auto subscribe = [&] {
        newer = client->subscribe({"workers:*"}, {}, use_future);
        asked = daemon.expect("subscribe");
        CHECK(field(asked, "topics") == boost::json::array{"workers:*"});
    };
    const std::string refusal = GENERATE("unresumable before", "unresumable after", "forgotten after");
    INFO("what was followed before was " << refusal << " the newer was asked for");
    if (refusal == "unresumable before") {
        daemon.refuse(resumption, "STORAGE_FAILED");
        daemon.expect("heartbeat"); // with which it is asked for again
        daemon.refuse(daemon.expect("subscribe"), "STORAGE_FAILED");
        subscribe();
    } else if (refusal == "unresumable after") {
        subscribe();
        daemon.refuse(resumption, "STORAGE_FAILED");
    } else {
        subscribe();
        daemon.refuse(resumption, "REVISION_COMPACTED");
        client.await("error REVISION_COMPACTED It is refused");
    }
    WHEN("the newer one is agreed to")
    {
        agree(asked, 200);
        success(std::move(newer));
        THEN("that is what is followed, from there on")
        {
            for (int beats = 0; beats < 2; ++beats)
                daemon.expect("heartbeat"); // and nothing beside them
            change(200);
            change(201);
            client.await("change tasks:set:t1@201");
            CHECK(client.diary.count("change") == 0);
        }
    }
    WHEN("the newer one is refused")
    {
        daemon.refuse(asked, "INVALID_FIELD");
        CHECK(failure(std::move(newer)).code == "INVALID_FIELD");
        THEN("the one before is asked for again")
        {
            const auto again = daemon.expect("subscribe");
            CHECK(field(again, "topics") == boost::json::array{"tasks:*"});
        }
    }
}

SCENARIO("a subscription that is refused changes nothing of the one before", "[client]")
{
    Fixture peer;
    auto refused = peer.client->subscribe({"nonsense"}, {}, use_future);
    peer.daemon.expect("subscribe");
    peer.change(101);
    peer.seen(101);
    WHEN("it is refused at once")
    {
        peer.daemon.send(
            {{"type", "response"}, {"requestId", 2}, {"success", false}, {"code", "INVALID_FIELD"}});
        CHECK(failure(std::move(refused)).code == "INVALID_FIELD");
        peer.daemon.accept();
    }
    WHEN("it is refused over the next connection")
    {
        peer.daemon.accept();
        peer.daemon.refuse(peer.daemon.expect("subscribe"), "INVALID_FIELD");
        CHECK(failure(std::move(refused)).code == "INVALID_FIELD");
    }
    const auto asked = peer.daemon.expect("subscribe");
    CHECK(field(asked, "topics") == boost::json::array{"tasks:*"});
    CHECK(field(asked, "since") == 101);
}
