#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace coordination::testing;

namespace {

std::vector<std::string> ids(const Json& list)
{
    std::vector<std::string> all;
    for (const auto& item : list.as_array())
        all.push_back(text(item, "id"));
    return all;
}

std::set<std::string> id_set(const Json& list)
{
    const auto all = ids(list);
    return {all.begin(), all.end()};
}

/// Workers a (capability a), ab (both), off (offline); tasks pending, held, progress, done, failed.
struct Populated {
    Populated()
    {
        Watcher watcher(daemon, R"(["workers:*"])");
        {
            Worker off(daemon, "off", R"(["a"])");
            off.close();
            watcher.await_worker("off", "offline");
        }
        Worker ab(daemon, "ab", R"(["a","b"])");
        api.register_worker("a", R"(["a"])");
        api.register_worker("gone", R"(["c"])");
        api.assign("pending", "gone", R"({"capabilities":["c"]})");
        api.unregister("gone");
        api.assign("held", "a", R"({"capabilities":["a"]})");
        api.assign("progress", "ab", R"({"capabilities":["a","b"]})");
        ab.call(R"({"type":"task_update","taskId":"progress","status":"in_progress","progress":50})");
        api.assign("done", "a", R"({"capabilities":["a"]})");
        api.complete("done");
        api.assign("failed", "a");
        api.fail("failed");
        keep.emplace_back(std::move(ab));
    }

    std::set<std::string> tasks(const std::string& query)
    {
        return id_set(api.get("/api/tasks" + query)["tasks"]);
    }
    std::set<std::string> workers(const std::string& query)
    {
        return id_set(api.get("/api/workers" + query)["workers"]);
    }

    DaemonProcess daemon;
    Api api{daemon};
    std::vector<WsPeer> keep;
};

} // namespace

SCENARIO("an empty daemon has an empty state", "[lists]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto state = api.state();
    for (const auto* list : {"workers", "tasks", "assignments"})
        CHECK(field(state, list) == Json(boost::json::array{}));
    for (const auto* total : {"totalWorkers", "totalTasks", "activeAssignments"})
        CHECK(field(state, std::string("metadata.") + total) == 0);
    CHECK(integer(state, "metadata.revision") >= 0);
    CHECK(integer(state, "metadata.revision") < 9'007'199'254'740'992); // JavaScript's integers end there
    CHECK(api.get("/api/workers").json() == parse(R"({"workers":[]})"));
    CHECK(api.get("/api/tasks").json() == parse(R"({"tasks":[]})"));
}

SCENARIO("the state holds all workers, tasks and assignments, and counts them", "[lists]")
{
    Populated given;
    const auto state = given.api.state();
    CHECK(id_set(field(state, "workers")) == std::set<std::string>{"a", "ab", "off"});
    CHECK(id_set(field(state, "tasks")) ==
          std::set<std::string>{"pending", "held", "progress", "done", "failed"});
    std::set<std::pair<std::string, std::string>> pairs;
    for (const auto& pair : field(state, "assignments").as_array())
        pairs.emplace(text(pair, "0"), text(pair, "1"));
    CHECK(pairs == std::set<std::pair<std::string, std::string>>{{"held", "a"}, {"progress", "ab"}});
    CHECK(field(state, "metadata.totalWorkers") == 3);
    CHECK(field(state, "metadata.totalTasks") == 5);
    CHECK(field(state, "metadata.activeAssignments") == 2);
}

SCENARIO("what lists show is what the single calls show", "[lists]")
{
    Populated given;
    const auto tasks = given.api.state();
    for (const auto& task : field(tasks, "tasks").as_array())
        CHECK(task == given.api.task(text(task, "id")));
    const auto workers = given.api.get("/api/workers").json();
    for (const auto& worker : field(workers, "workers").as_array())
        CHECK(worker == given.api.worker(text(worker, "id")));
}

SCENARIO("lists are filtered by status and by capability", "[lists]")
{
    Populated given;
    using Set = std::set<std::string>;
    CHECK(given.tasks("?status=pending") == Set{"pending"});
    CHECK(given.tasks("?status=assigned") == Set{"held"});
    CHECK(given.tasks("?status=in_progress") == Set{"progress"});
    CHECK(given.tasks("?status=completed") == Set{"done"});
    CHECK(given.tasks("?status=failed") == Set{"failed"});
    CHECK(given.tasks("?status=cancelled").empty());
    CHECK(given.tasks("?capability=a") == Set{"held", "progress", "done"});
    CHECK(given.tasks("?capability=a&status=completed") == Set{"done"});
    CHECK(given.tasks("?status=completed&capability=%61") == Set{"done"});
    CHECK(given.tasks("?capability=none").empty());
    CHECK(given.workers("?capability=b") == Set{"ab"});
    CHECK(given.workers("?capability=a") == Set{"a", "ab", "off"});
    CHECK(given.workers("?status=offline") == Set{"off"});
    CHECK(given.workers("?status=offline&capability=b").empty());
}

SCENARIO("a limited list tells where to go on, and pages make the whole", "[lists]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "100"});
    Api api(daemon);
    api.register_worker("w", R"(["a"])");
    std::set<std::string> all;
    std::set<std::string> odd;
    for (int i = 0; i < 25; ++i) {
        const auto id = "task " + std::to_string(i) + " & ü";
        all.insert(id);
        if (i % 2)
            odd.insert(id);
        api.assign(id, "", i % 2 ? R"({"capabilities":["a"]})" : "{}");
    }
    const auto [query, expected] = GENERATE_COPY(table<std::string, std::set<std::string>>(
        {{"?limit=4", all}, {"?limit=5", all}, {"?limit=1000", all}, {"?limit=3&capability=a", odd}}));
    CAPTURE(query);
    std::vector<std::string> seen;
    std::string target = "/api/tasks" + query;
    for (int pages = 0; pages < 50; ++pages) {
        const auto page = api.get(target).json();
        const auto part = ids(field(page, "tasks"));
        seen.insert(seen.end(), part.begin(), part.end());
        if (!has(page, "nextCursor"))
            break;
        CHECK_FALSE(part.empty());
        CHECK(part.size() <= 5);
        std::string encoded; // a cursor is opaque: whatever it is must survive as a query value
        for (const char c : text(page, "nextCursor")) {
            constexpr auto digits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', digits[byte >> 4], digits[byte & 15]};
        }
        target = "/api/tasks" + query + "&cursor=" + encoded;
    }
    CHECK(seen.size() == expected.size());
    CHECK(std::set(seen.begin(), seen.end()) == expected);
}

SCENARIO("workers are paged as tasks are", "[lists]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (int i = 0; i < 7; ++i)
        api.register_worker("w" + std::to_string(i));
    const auto first = api.get("/api/workers?limit=4").json();
    const auto second = api.get("/api/workers?limit=4&cursor=" + text(first, "nextCursor")).json();
    CHECK(field(first, "workers").as_array().size() == 4);
    CHECK(field(second, "workers").as_array().size() == 3);
    CHECK_FALSE(has(second, "nextCursor"));
    auto all = id_set(field(first, "workers"));
    all.merge(id_set(field(second, "workers")));
    CHECK(all.size() == 7);
}

SCENARIO("a page that goes on where a task has ended meanwhile loses none of the others", "[lists]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "100"});
    Api api(daemon);
    api.register_worker("w");
    for (int i = 0; i < 10; ++i)
        api.assign("t" + std::to_string(i));
    const auto first = api.get("/api/tasks?limit=5&status=assigned").json();
    const auto seen = ids(field(first, "tasks"));
    api.complete(seen.back());
    const auto rest =
        api.get("/api/tasks?limit=5&status=assigned&cursor=" + text(first, "nextCursor")).json();
    auto all = id_set(field(first, "tasks"));
    all.merge(id_set(field(rest, "tasks")));
    CHECK(all.size() == 10);
}

SCENARIO("a query that makes no sense is INVALID_FIELD and names the field", "[lists]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    for (const auto& [target, field_name] : std::vector<std::pair<std::string, std::string>>{
             {"/api/tasks?limit=many", "limit"},
             {"/api/tasks?limit=-1", "limit"},
             {"/api/tasks?limit=99999999999999999999999", "limit"},
             {"/api/workers?limit=1.5", "limit"},
             {"/api/tasks?status=finished", "status"},
             {"/api/workers?status=pending", "status"},
         }) {
        INFO(target);
        const auto reply = http.get(target);
        CHECK(outcome(reply).starts_with("400 INVALID_FIELD "));
        CHECK_THAT(outcome(reply), Catch::Contains(field_name));
    }
}
