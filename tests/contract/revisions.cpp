#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace coordination::testing;

SCENARIO("each change has the next revision, and a reply tells the last of its call", "[revisions]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "2"});
    Api api(daemon);
    Watcher watcher(daemon);
    auto last = api.revision();
    const auto follows = [&](const Json& reply) {
        const auto revision = integer(reply, "revision");
        CHECK(field(reply, "durable") == "memory");
        CHECK(api.revision() == revision);
        for (const auto& change : watcher.changes_until(revision)) {
            INFO(summary(change));
            CHECK(integer(change, "revision") == ++last);
        }
        CHECK(last == revision);
    };
    follows(api.register_worker("w1", R"(["a"])"));
    follows(api.register_worker("w1", R"(["a","b"])"));
    follows(api.assign("t1", "", R"({"capabilities":["a"]})"));
    follows(api.assign("t2"));
    follows(api.complete("t1", R"("result":1)"));
    follows(api.assign("t3", "w1"));
    follows(api.fail("t2", R"("error":"x")"));
    follows(api.unregister("w1"));
}

SCENARIO("a call that is refused, a repeat and a question change no revision and publish nothing",
         "[revisions]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    api.complete("t1");
    Watcher watcher(daemon);
    const auto before = api.revision();
    api.http.post("/api/tasks/assign", R"({"taskId":"t1"})");
    api.http.post("/api/tasks/assign", R"({"taskId":"t2","workerId":"none"})");
    api.http.post("/api/tasks/assign", R"({"taskId":"t2","taskData":{"capabilities":["none"]}})");
    api.http.post("/api/tasks/fail", R"({"taskId":"t1"})");
    api.http.post("/api/tasks/complete", R"({"taskId":"t1"})");
    api.http.post("/api/workers/unregister", R"({"workerId":"none"})");
    api.http.post("/api/workers/heartbeat", R"({"workerId":"w1"})");
    api.get("/api/metrics");
    CHECK(api.revision() == before);
    const auto next = api.register_worker("w2");
    const auto change =
        watcher.next_change(); // the first to come is the one of the call that changed something
    CHECK(integer(change, "revision") == before + 1);
    CHECK(summary(change) == "workers:set:w2");
}

SCENARIO("the operations tell what was done: set, update, delete", "[revisions]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon);
    const auto changes = [&](const Json& reply) {
        std::multiset<std::string> all;
        for (const auto& change : watcher.changes_until(integer(reply, "revision")))
            all.insert(summary(change));
        return all;
    };
    using Set = std::multiset<std::string>;
    CHECK(changes(api.register_worker("w1")) == Set{"workers:set:w1"});
    CHECK(changes(api.assign("t1")) == Set{"tasks:set:t1", "assignments:set:t1", "workers:update:w1"});
    CHECK(changes(api.complete("t1")) ==
          Set{"tasks:update:t1", "assignments:delete:t1", "workers:update:w1"});
    CHECK(changes(api.assign("t2")) == Set{"tasks:set:t2", "assignments:set:t2", "workers:update:w1"});
    CHECK(changes(api.fail("t2")) == Set{"tasks:update:t2", "assignments:delete:t2", "workers:update:w1"});
    CHECK(changes(api.assign("t3")).contains("tasks:set:t3"));
    auto gone = changes(api.unregister("w1"));
    gone.erase("workers:update:w1"); // its load may be told before its end
    CHECK(gone == Set{"tasks:update:t3", "assignments:delete:t3", "workers:delete:w1"});
    const auto before_w2 = api.revision(); // t3 is assigned anew, which writes it whole
    CHECK(changes(api.register_worker("w2")).contains("workers:set:w2"));
    watcher.call(R"({"type":"subscribe","topics":["*"],"since":)" + std::to_string(before_w2) + "}");
    watcher.await([](const Json& change) { return summary(change) == "tasks:set:t3"; });
}

SCENARIO("a fence is the revision at which the assignment began", "[revisions]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    std::int64_t last = 0;
    for (int i = 0; i < 20; ++i) {
        const auto before = api.revision();
        const auto reply = api.assign("t" + std::to_string(i));
        const auto fence = integer(reply, "task.fence");
        CHECK(fence > last);
        CHECK(fence > before);
        CHECK(fence <= integer(reply, "revision"));
        last = fence;
        api.complete("t" + std::to_string(i));
    }
}
