#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace coordination::testing;

namespace {

/// The collections as one who only hears of changes knows them.
class Replica {
public:
    void apply(const Json& change)
    {
        auto& collection = collections_[text(change, "collection")];
        if (text(change, "operation") == "delete")
            CHECK(collection.erase(text(change, "key")) == 1);
        else
            collection[text(change, "key")] = field(change, "value");
    }

    std::map<std::string, Json> tasks() { return collections_["tasks"]; }

    /// Without the two fields that a heartbeat moves, which is no change.
    std::map<std::string, Json> workers()
    {
        auto all = collections_["workers"];
        for (auto& [id, worker] : all)
            forget_heartbeats(worker);
        return all;
    }

    std::map<std::string, std::string> assignments()
    {
        std::map<std::string, std::string> all;
        for (const auto& [task, assignment] : collections_["assignments"])
            all[task] = text(assignment, "workerId");
        return all;
    }

    static void forget_heartbeats(Json& worker)
    {
        worker.as_object().erase("lastHeartbeat");
        worker.as_object().erase("lastSeen");
    }

private:
    std::map<std::string, std::map<std::string, Json>> collections_;
};

/// Calls of all kinds, sensible and not, over HTTP and WebSocket.
class Crowd {
public:
    Crowd(const DaemonProcess& daemon, unsigned seed) : api_(daemon), peer_(daemon.ws_port()), random_(seed)
    {
    }

    void act()
    {
        const auto worker = "\"workerId\":\"w" + std::to_string(below(6)) + "\"";
        const auto task = "\"taskId\":\"t" + std::to_string(below(60)) + "\"";
        switch (below(10)) {
        case 0:
            return call("/api/workers/register", "register", worker + ",\"capabilities\":" + capabilities());
        case 1:
            return call("/api/workers/unregister", "", worker);
        case 2:
            return call("/api/workers/heartbeat", "heartbeat", worker);
        case 3:
        case 4:
            return call("/api/tasks/complete", "complete", task + ",\"result\":1.0" + holder(worker));
        case 5:
            return call("/api/tasks/fail", "fail", task + ",\"error\":\"x\"" + holder(worker));
        case 6:
            return call("/api/tasks/assign", "assign", task + "," + worker);
        default:
            return call("/api/tasks/assign", "assign",
                        task + ",\"taskData\":{\"n\":1e400,\"capabilities\":" + capabilities() + "}");
        }
    }

private:
    void call(const std::string& target, const std::string& type, const std::string& members)
    {
        // A socket that registered would be that worker and no other from then on.
        if (type.empty() || type == "register" || below(2))
            api_.http.post(target, "{" + members + "}");
        else
            peer_.call(R"({"type":")" + type + "\"," + members + "}");
    }

    std::string capabilities()
    {
        static const std::vector<std::string> sets{"[]", R"(["a"])", R"(["b"])", R"(["a","b"])"};
        return sets[below(sets.size())];
    }

    std::string holder(const std::string& worker) { return below(3) ? "" : "," + worker; }

    std::size_t below(std::size_t end)
    {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    }

    Api api_;
    WsPeer peer_;
    std::mt19937 random_;
};

} // namespace

SCENARIO("whoever applies the changes has the state, from the beginning or by replay", "[replica]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    DaemonProcess daemon({"--max-tasks-per-worker", "4"});
    Api api(daemon);
    const auto since = api.revision();
    Watcher watcher(daemon);
    Crowd crowd(daemon, seed);
    for (int i = 0; i < 1000; ++i)
        crowd.act();
    auto last = integer(api.register_worker("last"), "revision");
    auto state = api.state();
    for (; integer(state, "metadata.revision") != last; state = api.state()) // what waited goes out by itself
        last = integer(state, "metadata.revision");
    WsPeer late(daemon.ws_port());
    late.call(R"({"type":"subscribe","topics":["*"],"values":true,"since":)" + std::to_string(since) + "}");

    Replica live;
    Replica replayed;
    auto revision = since;
    for (const auto& change : watcher.changes_until(last)) {
        REQUIRE(integer(change, "revision") == ++revision);
        live.apply(change);
        const auto again = late.expect("state_change")["change"];
        REQUIRE(summary(again) == summary(change));
        replayed.apply(again);
    }

    std::map<std::string, Json> tasks;
    for (const auto& task : field(state, "tasks").as_array())
        tasks[text(task, "id")] = task;
    std::map<std::string, Json> workers;
    for (auto worker : field(state, "workers").as_array()) {
        Replica::forget_heartbeats(worker);
        workers[text(worker, "id")] = worker;
    }
    std::map<std::string, std::string> assignments;
    for (const auto& pair : field(state, "assignments").as_array())
        assignments[text(pair, "0")] = text(pair, "1");
    for (auto* replica : {&live, &replayed}) {
        CHECK(replica->tasks() == tasks);
        CHECK(replica->workers() == workers);
        CHECK(replica->assignments() == assignments);
    }
    std::map<std::string, std::int64_t> held;
    for (const auto& [task, worker] : assignments) {
        ++held[worker];
        CHECK(field(tasks.at(task), "assignedTo") == Json(worker));
    }
    for (const auto& [id, worker] : workers)
        CHECK(integer(worker, "activeTasks") == held[id]);
}
