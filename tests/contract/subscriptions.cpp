#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

using namespace coordination::testing;

namespace {

/// What a socket that subscribes to `topics` hears of a life of one worker and one task.
std::set<std::string> heard(std::string_view topics)
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, topics);
    api.register_worker("w1");
    api.assign("t1");
    api.complete("t1");
    api.unregister("w1");
    std::set<std::string> all;
    // What is published goes out in order: what was heard before the last change is all there was.
    watcher.call(R"({"type":"subscribe","topics":["workers:set"]})");
    api.register_worker("last");
    for (;;) {
        const auto change = watcher.next_change();
        if (text(change, "key") == "last")
            return all;
        all.insert(text(change, "collection") + ":" + text(change, "operation"));
    }
}

} // namespace

SCENARIO("topics choose by collection and operation, with * for either or both", "[subscribe]")
{
    using Set = std::set<std::string>;
    const Set everything{"workers:set",  "workers:update",  "workers:delete",    "tasks:set",
                         "tasks:update", "assignments:set", "assignments:delete"};
    const auto [topics, expected] = GENERATE_COPY(table<std::string, Set>({
        {R"(["*"])", everything},
        {R"(["*:*"])", everything},
        {R"(["tasks:set"])", Set{"tasks:set"}},
        {R"(["tasks:*"])", Set{"tasks:set", "tasks:update"}},
        {R"(["*:delete"])", Set{"workers:delete", "assignments:delete"}},
        {R"(["tasks:set","workers:update"])", Set{"tasks:set", "workers:update"}},
        {R"(["tasks:set","tasks:*","*:set"])",
         Set{"tasks:set", "tasks:update", "workers:set", "assignments:set"}},
        {R"([])", Set{}},
    }));
    CAPTURE(topics);
    CHECK(heard(topics) == expected);
}

SCENARIO("a change that several topics match is told once", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["*","workers:*","workers:set","*:set"])");
    api.register_worker("w1");
    api.register_worker("w2");
    CHECK(summary(watcher.next_change()) == "workers:set:w1");
    CHECK(summary(watcher.next_change()) == "workers:set:w2");
}

SCENARIO("a state_change has the seed's shape, and a value only where it was asked for", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    WsPeer plain(daemon.ws_port());
    plain.call(R"({"type":"subscribe","topics":["*"]})");
    Watcher with_values(daemon);
    const auto reply = api.register_worker("w1", R"(["a"])");

    const auto bare = plain.expect("state_change");
    CHECK(bare["change.collection"] == "workers");
    CHECK(bare["change.key"] == "w1");
    CHECK(bare["change.operation"] == "set");
    CHECK(bare["change.revision"] == field(reply, "revision"));
    CHECK_FALSE(has(bare.json, "change.value"));
    CHECK(integer(bare.json, "timestamp") > 1'600'000'000'000);

    CHECK(field(with_values.next_change(), "value") == api.worker("w1"));
    api.assign("t1", "w1", R"({"title":"x"})");
    std::map<std::string, Json> values;
    for (int i = 0; i < 3; ++i) {
        const auto change = with_values.next_change();
        values[text(change, "collection")] = field(change, "value");
    }
    CHECK(values["tasks"] == api.task("t1"));
    CHECK(values["workers"] == api.worker("w1"));
    CHECK(text(values["assignments"], "workerId") == "w1");
    CHECK(field(values["assignments"], "fence") == field(values["tasks"], "fence"));
    WHEN("only a part changes, the value is still the whole")
    {
        api.complete("t1", R"("result":{"n":1})");
        const auto change = with_values.await([](const Json& c) { return text(c, "collection") == "tasks"; });
        CHECK(text(change, "operation") == "update");
        CHECK(field(change, "value") == api.task("t1"));
    }
    WHEN("it is deleted, there is no value")
    {
        api.unregister("w1");
        const auto change = with_values.await([](const Json& c) { return text(c, "operation") == "delete"; });
        CHECK((!has(change, "value") || field(change, "value").is_null()));
    }
}

SCENARIO("a worker that never subscribes hears of no change", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    Watcher watcher(daemon);
    api.register_worker("w2");
    api.assign("t1", "w2");
    watcher.changes_until(integer(api.complete("t1"), "revision"));
    worker.send(R"({"type":"heartbeat","workerId":"w1"})");
    worker.expect("heartbeat_ack"); // and nothing before it
}

SCENARIO("a subscribe without requestId is not answered, as in the seed", "[subscribe]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    worker.send(R"({"type":"subscribe","topics":["tasks:set","workers:update","*"]})");
    worker.send(R"({"type":"heartbeat","workerId":"w1"})");
    auto message = worker.next();
    while (message.type() == "state_change") // of its own subscriptions
        message = worker.next();
    CHECK(message.type() == "heartbeat_ack");
}

SCENARIO("subscribing again replaces the topics", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    watcher.call(R"({"type":"subscribe","topics":["tasks:*"]})");
    api.register_worker("w1");
    api.assign("t1");
    CHECK(summary(watcher.next_change()) == "tasks:set:t1");
}

SCENARIO("metadata.subscriptions at registration counts as a subscribe", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1", "[]", R"({"subscriptions":["tasks:set"]})");
    CHECK(field(api.worker("w1"), "subscriptions") == Json(boost::json::array{"tasks:set"}));
    api.register_worker("w2");
    api.assign("t1", "w2");
    CHECK(summary(worker.expect("state_change")["change"]) == "tasks:set:t1");
}

SCENARIO("the topics of a worker belong to it and outlive its socket", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w2");
    {
        Worker worker(daemon, "w1");
        CHECK(worker.call(R"({"type":"subscribe","topics":["tasks:set"]})")["success"] == Json(true));
        CHECK(field(api.worker("w1"), "subscriptions") == Json(boost::json::array{"tasks:set"}));
        worker.close();
    }
    Worker again(daemon, "w1");
    api.assign("t1", "w2");
    CHECK(summary(again.expect("state_change")["change"]) == "tasks:set:t1");
}

SCENARIO("since replays all that came after it, then goes on without a gap", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    const auto since = api.revision();
    Watcher witness(daemon);
    api.assign("t1");
    api.complete("t1");
    const auto last = integer(api.register_worker("w2"), "revision");

    WsPeer late(daemon.ws_port());
    const auto reply = late.call(R"({"type":"subscribe","topics":["*"],"values":true,"since":)" +
                                 std::to_string(since) + "}");
    CHECK(reply["success"] == Json(true));
    for (const auto& seen : witness.changes_until(last)) {
        const auto replayed = late.expect("state_change")["change"];
        CHECK(summary(replayed) == summary(seen));
        CHECK(field(replayed, "revision") == field(seen, "revision"));
    }
    api.register_worker("w3");
    CHECK(integer(late.expect("state_change").json, "change.revision") == last + 1);
}

SCENARIO("since the present replays nothing, and topics filter what is replayed", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto since = api.revision();
    api.register_worker("w1");
    api.assign("t1");
    WsPeer filtered(daemon.ws_port());
    filtered.call(R"({"type":"subscribe","topics":["tasks:*"],"since":)" + std::to_string(since) + "}");
    CHECK(summary(filtered.expect("state_change")["change"]) == "tasks:set:t1");
    WsPeer present(daemon.ws_port());
    present.call(R"({"type":"subscribe","topics":["*"],"since":)" + std::to_string(api.revision()) + "}");
    api.register_worker("w2");
    CHECK(summary(present.expect("state_change")["change"]) == "workers:set:w2");
}

SCENARIO("since above the present is INVALID_FIELD", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    WsPeer peer(daemon.ws_port());
    const auto above = std::to_string(api.revision() + 1);
    CHECK(peer.call(R"({"type":"subscribe","topics":["*"],"since":)" + above + "}")["code"] ==
          "INVALID_FIELD");
    peer.send(R"({"type":"subscribe","topics":["*"],"since":)" + above + "}");
    CHECK(peer.expect("error")["code"] == "INVALID_FIELD");
    for (const auto* wrong : {"-1", "\"7\"", "1.5"}) {
        INFO(wrong);
        CHECK(peer.call(R"({"type":"subscribe","topics":["*"],"since":)" + std::string(wrong) +
                        "}")["code"] == "INVALID_FIELD");
    }
}

SCENARIO("since before what memory still holds is REVISION_COMPACTED and tells the oldest", "[subscribe]")
{
    const TempDir folder;
    const Arguments args{"--persistence", "periodic-snapshot", "--snapshot-path", folder.file("state.json")};
    std::int64_t before = 0;
    {
        DaemonProcess daemon(folder, args);
        Api api(daemon);
        before = integer(api.register_worker("w1"), "revision");
    }
    DaemonProcess daemon(folder, args); // what came before a start is no longer in memory
    Api api(daemon);
    api.register_worker("w2");
    const auto subscribe = R"({"type":"subscribe","topics":["*"],"since":)" + std::to_string(before) + "}";
    WsPeer peer(daemon.ws_port());
    const auto refused = peer.call(subscribe);
    CHECK(refused["success"] == Json(false));
    CHECK(refused["code"] == "REVISION_COMPACTED");
    const auto oldest = integer(refused.json, "oldest");
    CHECK(oldest > before);
    CHECK(oldest <= api.revision());
    peer.send(subscribe);
    const auto error = peer.expect("error");
    CHECK(error["code"] == "REVISION_COMPACTED");
    CHECK(error["oldest"] == Json(oldest));
    const auto from_oldest = R"({"type":"subscribe","topics":["*"],"since":)" + std::to_string(oldest) + "}";
    CHECK(peer.call(from_oldest)["success"] == Json(true));
}

SCENARIO("topics that are no topics are refused and the old ones stay", "[subscribe]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    CHECK(watcher.call(R"({"type":"subscribe"})")["code"] == "MISSING_FIELD");
    for (const auto* topics : {R"("tasks:*")", "{}", "[1]", "[null]", R"(["tasks:*",7])"}) {
        INFO(topics);
        const auto refused = watcher.call(R"({"type":"subscribe","topics":)" + std::string(topics) + "}");
        CHECK(refused["code"] == "INVALID_FIELD");
        CHECK_THAT(text(refused.json, "error"), Catch::Contains("topics"));
    }
    CHECK(watcher.call(R"({"type":"subscribe","topics":["*"],"values":"yes"})")["code"] == "INVALID_FIELD");
    api.register_worker("w1");
    CHECK(summary(watcher.next_change()) == "workers:set:w1");
}
