#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

/// A folder that holds the state as the original left it, and the flags to start on it.
struct Original : TempDir {
    Original() { write_file(snapshot, read_file(COORD_TEST_DATA "/original-state-snapshot.json")); }

    std::string snapshot = file("state-snapshot.json");
    Arguments args{"--persistence", "periodic-snapshot",   "--snapshot-path",
                   snapshot,        "--heartbeat-timeout", "60000"};
};

void check_tasks(Api& api)
{
    const auto done = api.task("task-1763970100001");
    CHECK(field(done, "status") == "completed");
    CHECK(field(done, "title") == "Automated task");
    CHECK(field(done, "result.message") == "Task completed");
    CHECK(field(done, "completedAt") == 1763970160500);
    const auto failed = api.task("task-1763970110001");
    CHECK(field(failed, "status") == "failed");
    CHECK(field(failed, "error.code") == "EXECUTION_ERROR");
    CHECK(field(failed, "failedAt") == 1763970111000);
    const auto pending = api.task("task-1763973520001");
    CHECK(field(pending, "status") == "pending");
    CHECK(field(pending, "priority") == "medium");
    CHECK(field(pending, "capabilities") == Json(boost::json::array{"security"}));
    CHECK_THAT(api.get("/api/tasks/task-1763973500001").body, Catch::Contains("12.50"));
}

} // namespace

SCENARIO("a state-snapshot.json of the original loads", "[persistence][original]")
{
    const Original folder;
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    const auto state = api.state();
    CHECK(field(state, "metadata.totalWorkers") == 2);
    CHECK(field(state, "metadata.totalTasks") == 5);
    check_tasks(api);
    const auto worker = api.worker("worker-development-001");
    CHECK(field(worker, "capabilities") == Json(boost::json::array{"development", "testing"}));
    CHECK(field(worker, "metadata.hostname") == "build-3");
    CHECK(field(worker, "completedTasks") == 17);
    CHECK(field(worker, "failedTasks") == 1);
    CHECK(field(worker, "registeredAt") == 1763970012345);
    CHECK(field(worker, "status") == "offline"); // nobody is connected yet
    CHECK(field(api.worker("worker-security-001"), "completedTasks") == 4);
}

SCENARIO("tasks that the original had assigned go on under the new daemon", "[persistence][original]")
{
    const Original folder;
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    Worker security(daemon, "worker-security-001", R"(["security"])");
    CHECK(security.expect("task_assigned")["task.id"] == "task-1763973520001");
    // The holder was last seen long ago: whether it keeps them or is given them anew, it has them in the end.
    Watcher watcher(daemon, R"(["tasks:*"])");
    Worker worker(daemon, "worker-development-001", R"(["development","testing"])");
    for (const auto* id : {"task-1763973500001", "task-1763973510001"}) {
        INFO(id);
        if (field(api.task(id), "assignedTo") != "worker-development-001")
            watcher.await_task(id, "assigned");
        const auto update =
            R"({"type":"task_update","status":"completed","taskId":")" + std::string(id) + "\"}";
        CHECK(worker.call(update)["success"] == Json(true));
        CHECK(field(api.task(id), "status") == "completed");
    }
}

SCENARIO("what was loaded from the original survives the daemon's own snapshot", "[persistence][original]")
{
    const Original folder;
    {
        DaemonProcess daemon(folder, folder.args);
        Api(daemon).register_worker("new");
    }
    DaemonProcess daemon(folder, folder.args);
    Api api(daemon);
    CHECK(field(api.state(), "metadata.totalWorkers") == 3);
    check_tasks(api);
}

SCENARIO("an empty state of the original loads", "[persistence][original]")
{
    const TempDir folder;
    const auto path = folder.file("state-snapshot.json");
    write_file(
        path, R"({"workers":{},"tasks":{},"assignments":{},"workerTasks":{},"metadata":{},"timestamps":{}})");
    DaemonProcess daemon(folder, {"--persistence", "periodic-snapshot", "--snapshot-path", path});
    CHECK(field(Api(daemon).state(), "metadata.totalTasks") == 0);
}
