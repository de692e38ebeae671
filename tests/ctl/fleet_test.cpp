#include "ctl/ctl_process.hpp"
#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

#include <memory>
#include <set>

using namespace coordination::testing;

namespace {

const std::string queue_file = COORD_TEST_DATA "/cortex-task-queue.json";

/// Real workers, registered, that run a command of the shell for each task.
class Fleet {
public:
    Fleet(const DaemonProcess& daemon, int size, const std::string& script,
          const std::string& capability = "development")
    {
        for (int i = 1; i <= size; ++i) {
            const auto id = "w" + std::to_string(i);
            const Arguments args{"worker", "run", "--capabilities", capability, "--id", id, "--", "sh",
                                 "-c",     script};
            workers_.push_back(std::make_unique<CtlProcess>(daemon, args));
            workers_.back()->await_err("registered at");
        }
    }

    std::string log() const
    {
        std::string all;
        for (const auto& worker : workers_)
            all += worker->err();
        return all;
    }

    void leave()
    {
        for (const auto& worker : workers_) {
            worker->signal(SIGTERM);
            const auto ended = worker->wait();
            INFO(ended.err);
            CHECK(ended.status == 0);
        }
    }

private:
    std::vector<std::unique_ptr<CtlProcess>> workers_;
};

std::string queue_with(const std::string& tasks)
{
    return "{\"tasks\":[" + tasks + "]}";
}

std::string task_json(const std::string& id, const std::string& more)
{
    return R"({"id":")" + id + R"(","type":"development",)" + more + "}";
}

bool has_lines(const std::string& text, std::size_t count)
{
    return occurrences(text, "\n") == count;
}

const Json& task_of(const Json& queue, std::string_view id)
{
    for (const auto& task : queue.at("tasks").as_array())
        if (text(task, "id") == id)
            return task;
    throw std::runtime_error("no task " + std::string(id));
}

/// Finished ones as they ended, pending ones as their workers ended them, the others not at all.
void check_imported(Api& api, const Json& queue)
{
    for (const auto& task : queue.at("tasks").as_array()) {
        const auto id = text(task, "id");
        INFO(id);
        if (text(task, "status") == "assigned") {
            CHECK(api.http.get("/api/tasks/" + id).status == 404);
            continue;
        }
        const auto now = api.task(id);
        CHECK(text(now, "status") == "completed");
        CHECK(field(now, "context") == field(task, "context")); // carried along
        if (text(task, "status") == "completed") {
            CHECK(has(now, "result") == has(task, "result"));
        } else {
            CHECK(text(now, "result.output") == "\"id\":\"" + id + "\"");
            CHECK(integer(now, "progress") >= 50);
        }
    }
}

/// What became of the pending ones stands in the file; all else is as it was.
void check_exported(const Json& after, const Json& queue)
{
    CHECK(integer(after, "stats.completed_tasks") == 26);
    for (const auto& task : queue.at("tasks").as_array()) {
        const auto& now = task_of(after, text(task, "id"));
        INFO(text(task, "id"));
        if (text(task, "status") == "pending") {
            CHECK(text(now, "status") == "completed");
            CHECK(text(now, "completed_by").starts_with("w"));
            CHECK(text(now, "result.output").find(text(task, "id")) != std::string::npos);
            for (const auto& member : task.as_object())
                CHECK((member.key() == "status" || now.at(member.key()) == member.value()));
        } else {
            CHECK(boost::json::serialize(now) == boost::json::serialize(task));
        }
    }
}

} // namespace

SCENARIO("three workers work through the real queue", "[import]")
{
    const TempDir folder;
    DaemonProcess daemon({"--max-tasks-per-worker", "2"}); // less room than there is work
    Api api(daemon);
    Fleet fleet(daemon, 3, R"(echo progress 50; grep -o '"id":"[^"]*"' | head -1)");

    const auto import = ctl(daemon, {"import", queue_file});
    INFO(import.err);
    CHECK(import.status == 0);
    CHECK(import.out.find("14 handed out") != std::string::npos);
    CHECK(import.out.find("14 completed") != std::string::npos);
    CHECK(import.out.find("12 finished before") != std::string::npos);
    CHECK(import.out.find("2 left alone") != std::string::npos);

    const auto queue = parse(read_file(queue_file));
    check_imported(api, queue);
    THEN("task ls, state and metrics agree, and the importer has left")
    {
        const auto listed = parse(ctl(daemon, {"task", "ls", "--status", "completed", "--json"}).out);
        CHECK(listed.at("tasks").as_array().size() == 26);
        CHECK(has_lines(ctl(daemon, {"task", "ls"}).out, 27)); // and the titles
        const auto metrics = api.get("/api/metrics").json();
        CHECK(integer(metrics, "daemon.activeTasks") == 0);
        CHECK(integer(metrics, "daemon.totalTasksProcessed") == 26);
        CHECK(integer(metrics, "daemon.activeWorkers") == 3);
        CHECK(integer(api.state(), "metadata.totalWorkers") == 3);
        CHECK(integer(api.state(), "metadata.activeAssignments") == 0);
    }
    THEN("the import can be repeated")
    {
        const auto revision = api.revision();
        const auto again = ctl(daemon, {"import", queue_file});
        CHECK(again.status == 0);
        CHECK(again.out.find("26 already in the daemon") != std::string::npos);
        CHECK(api.revision() == revision);
    }
    THEN("export writes the file with what became of its tasks")
    {
        write_file(folder.file("queue.json"), read_file(queue_file));
        const auto exported = ctl(daemon, {"export", folder.file("queue.json")});
        CHECK(exported.status == 0);
        check_exported(parse(read_file(folder.file("queue.json"))), queue);
        AND_THEN("what it writes to standard output holds the same tasks")
        {
            const auto printed = parse(ctl(daemon, {"export"}).out);
            CHECK(printed.at("tasks").as_array().size() == 26);
            CHECK(text(task_of(printed, "eui-phase1-001"), "completed_by") == "development-master");
        }
    }
    fleet.leave();
    CHECK(api.state().at("workers").as_array().empty());
}

SCENARIO("a task is handed out after those it waits for, and not when they failed", "[import]")
{
    const TempDir folder;
    DaemonProcess daemon;
    Fleet fleet(daemon, 2, R"(case $COORDINATION_TASK_ID in x-bad) exit 1;; esac)");
    Watcher watcher(daemon, R"(["tasks:*"])");
    write_file(
        folder.file("queue.json"),
        queue_with(
            task_json("x-last",
                      R"("status":"pending","priority":"critical","context":{"dependencies":["first"]})") +
            "," + task_json("x-first", R"("status":"pending","priority":"low")") + "," +
            task_json("x-bad", R"("status":"pending")") + "," +
            task_json("x-never", R"("status":"pending","context":{"dependencies":["x-bad"]})") + "," +
            task_json("x-nor", R"("status":"pending","context":{"dependencies":["x-never"]})")));
    const auto import = ctl(daemon, {"import", folder.file("queue.json"), "--json"});
    CHECK(import.status == 1);
    const auto summary = parse(import.out);
    CHECK(integer(summary, "completed") == 2);
    CHECK(integer(summary, "failed") == 1);
    CHECK(field(summary, "blocked") == boost::json::array{"x-never", "x-nor"});
    std::vector<std::string> order;
    while (order.size() < 2) {
        const auto change = watcher.await([](const Json& c) {
            return text(c, "key") != "x-bad" && has(c, "value.status") &&
                   field(c, "value.status") == "completed";
        });
        order.push_back(text(change, "key"));
    }
    CHECK(order == std::vector<std::string>{"x-first", "x-last"});
    CHECK(text(Api(daemon).task("x-never"), "status") == "cancelled");
}

SCENARIO("an import waits for workers that are still to come", "[import]")
{
    const TempDir folder;
    DaemonProcess daemon;
    write_file(folder.file("queue.json"), queue_with(task_json("t1", R"("status":"pending")")));
    CtlProcess import(daemon, {"import", folder.file("queue.json")});
    import.await_err("Waiting for a worker with room that can do: development");
    Fleet fleet(daemon, 1, "exit 0");
    const auto ended = import.wait();
    CHECK(ended.status == 0);
    CHECK(ended.err.find("t1 assigned to w1") != std::string::npos);
    CHECK(ended.err.find("t1 completed by w1") != std::string::npos);
}

SCENARIO("--no-wait ends when all is handed out, --include-assigned takes what others had begun", "[import]")
{
    const TempDir folder;
    DaemonProcess daemon;
    Fleet fleet(daemon, 1, "exec sleep 1000");
    write_file(folder.file("queue.json"),
               queue_with(task_json("t1", R"("status":"assigned","assigned_to":"\ndevelopment")")));
    CHECK(ctl(daemon, {"import", folder.file("queue.json")}).out.find("1 left alone") != std::string::npos);
    const auto import = ctl(daemon, {"import", folder.file("queue.json"), "--no-wait", "--include-assigned"});
    CHECK(import.status == 0);
    CHECK(import.out.find("1 still running") != std::string::npos);
    CHECK(text(Api(daemon).task("t1"), "assigned_to") == "\ndevelopment");
}

SCENARIO("an import survives a restart of the daemon", "[import]")
{
    const TempDir folder;
    const TempDir state;
    write_file(folder.file("queue.json"), queue_with(task_json("t1", R"("status":"pending")")));
    const auto http = free_port();
    const auto ws = free_port();
    const Arguments args{"--port",           std::to_string(http), "--ws-port",
                         std::to_string(ws), "--persistence",      "memory-only"};
    auto daemon = std::make_unique<DaemonProcess>(args);
    CtlProcess import(*daemon, {"import", folder.file("queue.json")});
    import.await_err("Waiting for a worker");
    daemon = nullptr;
    daemon = std::make_unique<DaemonProcess>(args);
    Fleet fleet(*daemon, 1, "exit 0");
    CHECK(import.wait().status == 0);
}

SCENARIO("an import that is interrupted says how to go on", "[import]")
{
    const TempDir folder;
    DaemonProcess daemon;
    write_file(folder.file("queue.json"), queue_with(task_json("t1", R"("status":"pending")") + "," +
                                                     task_json("done", R"("status":"completed")")));
    CtlProcess import(daemon, {"import", folder.file("queue.json")});
    import.await_err("Waiting for a worker");
    import.signal(SIGINT);
    const auto ended = import.wait();
    CHECK(ended.status == 1);
    CHECK(ended.err.find("run the import again") != std::string::npos);
    CHECK(integer(Api(daemon).state(), "metadata.totalWorkers") == 0);
}

SCENARIO("a file that is no queue is wrong usage, told in one line with the place", "[import]")
{
    const TempDir folder;
    DaemonProcess daemon;
    write_file(folder.file("bad.json"), "{\"tasks\": [\n  {\"id\": }\n]}");
    const auto import = ctl(daemon, {"import", folder.file("bad.json")});
    CHECK(import.status == 2);
    CHECK(import.err.find("bad.json: line 2, column 10: ") != std::string::npos);
    CHECK(occurrences(import.err, "\n") == 1);
    const auto exported = ctl(daemon, {"export", folder.file("bad.json")});
    CHECK(exported.status == 2);
    CHECK(read_file(folder.file("bad.json")).starts_with("{\"tasks\": [\n  {\"id\": }"));
    CHECK(ctl(daemon, {"import", folder.file("none.json")}).err.find("No such file") != std::string::npos);
}

SCENARIO("an export replaces a file whole, and keeps its permissions", "[export]")
{
    const TempDir folder;
    DaemonProcess daemon;
    write_file(folder.file("queue.json"), queue_with(""));
    std::filesystem::permissions(folder.file("queue.json"),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::create_symlink("queue.json", folder.file("link.json"));
    CHECK(ctl(daemon, {"export", folder.file("link.json")}).out ==
          "0 tasks written to " + folder.file("link.json") + "\n");
    CHECK(std::filesystem::is_symlink(folder.file("link.json")));
    CHECK(integer(parse(read_file(folder.file("queue.json"))), "stats.total_tasks") == 0);
    CHECK(std::filesystem::status(folder.file("queue.json")).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()),
                        std::filesystem::directory_iterator()) == 2);
    const auto nowhere = ctl(daemon, {"export", folder.file("none/queue.json")});
    CHECK(nowhere.status == 1);
    CHECK(nowhere.err.find("No such file or directory") != std::string::npos);
}

SCENARIO("a worker that was signed off by another ends its command and registers anew", "[worker run]")
{
    DaemonProcess daemon({"--heartbeat-interval", "50", "--heartbeat-timeout", "60000"});
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*", "workers:*"])");
    CtlProcess worker(daemon, {"worker", "run", "--capabilities", "a", "--id", "w1", "--", "sh", "-c",
                               "while :; do echo progress 1; echo progress 2; sleep 0.05; done"});
    watcher.await_worker("w1", "idle");
    api.assign("t1");
    watcher.await_task("t1", "in_progress");
    api.unregister("w1");
    worker.await_err("task t1: its command has ended");
    watcher.await_worker("w1", "idle");
    api.assign("t2", "w1");
    watcher.await_task("t2", "in_progress");
}
