#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace coordination::testing;

SCENARIO("a task goes only to a worker that has every capability it asks for", "[matching]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("none");
    api.register_worker("a", R"(["a"])");
    api.register_worker("b", R"(["b"])");
    api.register_worker("ab", R"(["b","a","c"])");
    for (int i = 0; i < 5; ++i) {
        const auto id = "t" + std::to_string(i);
        CHECK(field(api.assign(id, "", R"({"capabilities":["a","b"]})"), "workerId") == "ab");
    }
    CHECK(field(api.assign("c", "", R"({"capabilities":["c","c"]})"), "workerId") == "ab");
    CHECK(field(api.assign("a", "", R"({"capabilities":["a"]})"), "workerId") == "a");
    const auto beside =
        R"({"taskId":"beside","capabilities":["b"],"taskData":{}})"; // beside taskId counts as well
    CHECK(field(api.post("/api/tasks/assign", beside).json(), "workerId") == "b");
    CHECK(api.http.post("/api/tasks/assign", R"({"taskId":"A","taskData":{"capabilities":["A"]}})").status ==
          409);
}

SCENARIO("among the capable the least loaded gets it", "[matching]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto* id : {"w1", "w2", "w3"})
        api.register_worker(id);
    api.assign("x1", "w1");
    api.assign("x2", "w1");
    api.assign("x3", "w2");
    CHECK(field(api.assign("t1"), "workerId") == "w3");
    api.complete("x1");
    api.complete("x2");
    CHECK(field(api.assign("t2"), "workerId") == "w1");

    std::set<std::string> next; // one each, whoever is first: the load stays level
    for (const auto* id : {"t3", "t4", "t5"})
        next.insert(text(api.assign(id), "workerId"));
    CHECK(next.size() == 3);
}

SCENARIO("among the equally loaded it is the one idle for longest", "[matching]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto* id : {"w1", "w2", "w3"}) {
        api.register_worker(id);
        api.next_millisecond(id);
    }
    const std::vector<std::string> order = GENERATE(
        values<std::vector<std::string>>({{"w1", "w2", "w3"}, {"w3", "w2", "w1"}, {"w2", "w3", "w1"}}));
    for (const auto& id : order)
        api.assign("before-" + id, id);
    for (const auto& id : order) {
        api.complete("before-" + id);
        api.next_millisecond(id);
    }
    for (const auto& id : order)
        CHECK(field(api.assign("after-" + id), "workerId") == Json(id));
}

SCENARIO("a task that waits keeps asking for what it asked for", "[matching]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("gone", R"(["c"])");
    api.assign("t1", "", R"({"capabilities":["c"],"title":"kept"})");
    api.unregister("gone");
    api.register_worker("w1", R"(["a"])");
    const auto before = api.get("/api/tasks/t1").body;
    const auto assign = [&](std::string_view body) {
        return outcome(api.http.post("/api/tasks/assign", body));
    };
    CHECK(assign(R"({"taskId":"t1"})").starts_with("409 NO_AVAILABLE_WORKERS "));
    CHECK(assign(R"({"taskId":"t1","workerId":"w1"})").starts_with("409 CAPABILITY_MISMATCH "));
    CHECK(api.get("/api/tasks/t1").body == before);
    CHECK(field(api.task("t1"), "status") == "pending");
}

SCENARIO("a worker is never given more than it may hold", "[matching]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "3"});
    Api api(daemon);
    api.register_worker("w1");
    api.register_worker("w2");
    for (int i = 0; i < 6; ++i)
        api.assign("t" + std::to_string(i));
    CHECK(field(api.worker("w1"), "activeTasks") == 3);
    CHECK(field(api.worker("w2"), "activeTasks") == 3);
    CHECK(outcome(api.http.post("/api/tasks/assign", R"({"taskId":"t6"})"))
              .starts_with("409 NO_AVAILABLE_WORKERS"));
    api.complete("t0");
    CHECK(api.http.post("/api/tasks/assign", R"({"taskId":"t6"})").status == 200);
}

SCENARIO("no task is held by two workers, however many callers race for it", "[matching]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "1000"});
    Api api(daemon);
    for (int i = 0; i < 4; ++i)
        api.register_worker("w" + std::to_string(i));
    std::vector<HttpPeer> peers;
    for (int i = 0; i < 8; ++i)
        peers.emplace_back(daemon.http_port());
    const auto send = [](HttpPeer& peer, const std::string& body) {
        peer.send("POST /api/tasks/assign HTTP/1.1\r\nHost: " + peer.host() +
                  "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body);
    };
    for (int round = 0; round < 50; ++round) {
        for (auto& peer : peers)
            send(peer, R"({"taskId":"t)" + std::to_string(round) + "\"}");
        int won = 0;
        for (auto& peer : peers) {
            const auto reply = peer.read();
            won += reply.status == 200;
            CHECK((reply.status == 200 || outcome(reply).starts_with("409 TASK_CONFLICT")));
        }
        CHECK(won == 1);
    }
    const auto state = api.state();
    CHECK(field(state, "assignments").as_array().size() == 50);
    std::int64_t held = 0;
    for (const auto& worker : field(state, "workers").as_array())
        held += integer(worker, "activeTasks");
    CHECK(held == 50);
}
