#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>

using namespace coordination::testing;

namespace {

struct Folder : TempDir {
    std::string snapshot = file("state.json");
    Arguments args{"--persistence", "periodic-snapshot",   "--snapshot-path",
                   snapshot,        "--snapshot-interval", "3600000"};
};

/// Without what a restart changes for good reason.
Json settled(const Json& state)
{
    Json tasks = field(state, "tasks");
    std::sort(tasks.as_array().begin(), tasks.as_array().end(),
              [](const Json& a, const Json& b) { return text(a, "id") < text(b, "id"); });
    return tasks;
}

} // namespace

SCENARIO("memory-only has no snapshot to make", "[persistence]")
{
    DaemonProcess daemon;
    Api api(daemon);
    CHECK(outcome(api.http.post("/api/snapshot", "")).starts_with("409 SNAPSHOT_UNAVAILABLE "));
}

SCENARIO("a snapshot is made when asked for", "[persistence]")
{
    const Folder folder;
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    api.register_worker("w1");
    WHEN("with a body")
    {
        CHECK(api.post("/api/snapshot", "{}").json() ==
              parse(R"({"success":true,"message":"Snapshot created"})"));
    }
    WHEN("without one, as curl -X POST sends it")
    {
        api.http.send("POST /api/snapshot HTTP/1.1\r\nHost: " + api.http.host() + "\r\n\r\n");
        CHECK(api.http.read().status == 200);
    }
    const auto size = std::filesystem::file_size(folder.snapshot);
    CHECK(size > 0);
}

SCENARIO("a restart keeps the state", "[persistence]")
{
    const Folder folder;
    Json before;
    Json worker;
    std::int64_t revision = 0;
    {
        DaemonProcess daemon(folder, folder.args);
        Api api(daemon);
        api.post(
            "/api/workers/register",
            R"({"workerId":"w1","capabilities":["b","a"],"metadata":{"pid":1e400,"subscriptions":["tasks:set"]}})");
        api.assign("held", "w1",
                   R"({"zeta":1e400,"alpha":12345678901234567890,"title":"ü","capabilities":["a"]})");
        api.assign("done", "w1", R"({"priority":"medium"})");
        api.complete("done", R"("result":{"one":1.0})");
        api.assign("failed", "w1");
        api.fail("failed", R"("error":"x")");
        api.register_worker("w2", R"(["c"])");
        api.assign("pending", "w2", R"({"capabilities":["c"]})");
        api.unregister("w2");
        before = api.state();
        worker = api.worker("w1");
        revision = api.revision();
        if (GENERATE(true, false)) {
            CHECK(daemon.terminate().status == 0);
        } else {
            api.post("/api/snapshot", "");
            daemon.kill();
        }
    }
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    const auto after = api.state();
    CHECK(settled(after) == settled(before));
    CHECK(field(after, "assignments") == field(before, "assignments"));
    CHECK_THAT(api.get("/api/tasks/held").body,
               Catch::Contains(R"("zeta":1e400,"alpha":12345678901234567890)"));
    CHECK_THAT(api.get("/api/tasks/done").body, Catch::Contains(R"({"one":1.0})"));
    for (const auto* name : {"capabilities", "metadata", "completedTasks", "failedTasks", "activeTasks",
                             "registeredAt", "subscriptions"}) {
        INFO(name);
        CHECK(field(api.worker("w1"), name) == field(worker, name));
    }
    CHECK(api.revision() > revision + 100); // well beyond any that can have been given out
    const auto metrics = api.get("/api/metrics").json();
    CHECK(field(metrics, "daemon.totalTasksFailed") == 1);
    CHECK(integer(metrics, "daemon.totalTasksProcessed") >= 1);
    CHECK(api.complete("done").as_object().contains("duplicate")); // ends are remembered
}

SCENARIO("after a restart fences and attempts go on rising", "[persistence]")
{
    const Folder folder;
    std::int64_t fence = 0;
    {
        DaemonProcess daemon(folder, folder.args);
        Api api(daemon);
        api.register_worker("w1");
        api.assign("t1");
        api.post("/api/snapshot", "");
        fence =
            integer(api.assign("t2"), "task.fence"); // is lost with the kill, the fence was seen all the same
        daemon.kill();
    }
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    CHECK(api.http.get("/api/tasks/t2").status == 404);
    Watcher watcher(daemon, R"(["tasks:*"])");
    api.unregister("w1");
    api.register_worker("w2");
    const auto anew = watcher.await_task("t1", "assigned");
    CHECK(field(anew, "attempt") == 2);
    CHECK(integer(anew, "fence") > fence);
    CHECK(integer(api.assign("t2"), "task.fence") > integer(anew, "fence"));
}

SCENARIO("a worker that returns after a restart keeps its tasks", "[persistence]")
{
    const Folder folder;
    {
        DaemonProcess daemon(folder, folder.args);
        Worker worker(daemon, "w1");
        Api(daemon).assign("t1");
        worker.expect("task_assigned");
        daemon.signal(SIGTERM);
        CHECK(worker.close_code() == 1001);
        CHECK(daemon.wait().status == 0);
    }
    DaemonProcess daemon(folder, folder.args);
    CHECK(field(Api(daemon).worker("w1"), "status") == "offline"); // it has no socket now
    Worker again(daemon, "w1");
    CHECK(again.registered["tasks"] == Json(boost::json::array{"t1"}));
    const auto assigned = again.expect("task_assigned");
    CHECK(assigned["task.id"] == "t1");
    CHECK(assigned["task.attempt"] == 1);
}

SCENARIO("a snapshot is made every interval, and a kill loses at most that", "[persistence]")
{
    const Folder folder;
    auto args = folder.args;
    args.back() = "50";
    {
        DaemonProcess daemon(folder, args);
        Api api(daemon);
        api.register_worker("w1");
        api.assign("t1");
        const auto snapshots = [&] {
            return integer(api.get("/api/metrics").json(), "stateStore.snapshots");
        };
        const auto before = snapshots();
        const Deadline deadline;
        for (int i = 0; snapshots() < before + 2 && !deadline.passed();
             ++i) { // the second began after the assignment
            const auto id =
                "change-" + std::to_string(i); // an interval in which nothing changed may write nothing
            api.assign(id);
            api.complete(id);
        }
        daemon.kill();
    }
    DaemonProcess daemon(folder, args);
    CHECK(field(Api(daemon).task("t1"), "assignedTo") == "w1");
}

SCENARIO("the state folder is made when it is missing", "[persistence]")
{
    const TempDir folder;
    DaemonProcess daemon(
        folder, {"--persistence", "periodic-snapshot", "--snapshot-path", folder.file("deep/er/state.json")});
    Api api(daemon);
    api.post("/api/snapshot", "");
    CHECK(std::filesystem::exists(folder.file("deep/er/state.json")));
}

SCENARIO("a snapshot that the disk refuses is 503 STORAGE_FAILED", "[persistence]")
{
    const Folder folder;
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    api.register_worker("w1");
    // A folder with something in it cannot be renamed over, not even by root.
    std::filesystem::remove(folder.snapshot);
    std::filesystem::create_directory(folder.snapshot);
    write_file(folder.file("state.json/obstacle"), "x");
    CHECK(outcome(api.http.post("/api/snapshot", "")).starts_with("503 STORAGE_FAILED "));
    std::filesystem::remove_all(folder.snapshot);
    CHECK(api.http.post("/api/snapshot", "").status == 200);
    CHECK(std::filesystem::is_regular_file(folder.snapshot));
}

SCENARIO("a disk that cannot be written degrades the health, refuses new work, lets work end, and recovers",
         "[persistence]")
{
    const Folder folder;
    auto args = folder.args;
    args.back() = "50";
    DaemonProcess daemon(folder, args);
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    const auto await_health = [&](int status) {
        const Deadline deadline;
        auto health = api.http.get("/health");
        while (health.status != status && !deadline.passed())
            health = api.http.get("/health");
        CHECK(health.status == status);
        return health.json();
    };
    std::filesystem::remove(folder.snapshot);
    std::filesystem::create_directory(folder.snapshot);
    write_file(folder.file("state.json/obstacle"), "x");
    api.http.post("/api/snapshot", ""); // where nothing changes, nothing needs to be written
    const auto health = await_health(503);
    CHECK(field(health, "status") == "degraded");
    CHECK_FALSE(text(health, "reason").empty());
    CHECK(
        outcome(api.http.post("/api/tasks/assign", R"({"taskId":"t2"})")).starts_with("503 STORAGE_FAILED "));
    CHECK(field(api.complete("t1"), "task.status") == "completed");
    std::filesystem::remove_all(folder.snapshot);
    CHECK(field(await_health(200), "status") == "healthy");
    CHECK(field(api.assign("t2"), "task.status") == "assigned");
}

SCENARIO("a damaged snapshot stops the start, named, and is left as it was", "[persistence]")
{
    const Folder folder;
    {
        DaemonProcess daemon(folder, folder.args);
        Api api(daemon);
        api.register_worker("w1");
        for (int i = 0; i < 5; ++i)
            api.assign("task-" + std::to_string(i));
    }
    auto content = read_file(folder.snapshot);
    WHEN("it is cut short")
    {
        content.resize(content.size() / 2);
    }
    WHEN("it is empty")
    {
        content.clear();
    }
    WHEN("it is no JSON at all")
    {
        content = "not a snapshot";
    }
    WHEN("it is JSON of something else")
    {
        content = "[1,2,3]";
    }
    write_file(folder.snapshot, content);
    auto args = folder.args;
    args.insert(args.end(), {"--port", "0", "--ws-port", "0"});
    const auto ended = DaemonProcess::run(folder, args);
    CHECK(ended.status == 1);
    CHECK_THAT(ended.err, Catch::Contains(folder.snapshot));
    CHECK(ended.out.find("listening") == std::string::npos);
    CHECK(read_file(folder.snapshot) == content);
}
