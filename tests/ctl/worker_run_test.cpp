#include "ctl/worker_run.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

using namespace coordination::testing;

SCENARIO("a worker registers, heartbeats, runs the command and reports how it ended", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl =
        start(daemon, worker({}, {"sh", "-c", R"sh(cat; echo "$COORDINATION_TASK_ID $COORDINATION_WORKER_ID"
        echo progress 50; echo to the log >&2; exit "$0")sh",
                                  "0"}));
    daemon.accept();
    const auto registration = daemon.register_worker();
    CHECK(field(registration, "workerId") == "w1");
    CHECK(field(registration, "capabilities") == boost::json::array{"a", "b"});
    daemon.assign("t1", 3, 17);

    const auto begun = daemon.expect_and_agree("task_update");
    CHECK(text(begun, "status") == "in_progress");
    CHECK(integer(begun, "attempt") == 3);
    CHECK(integer(begun, "fence") == 17);
    const auto half = daemon.expect_and_agree("task_update");
    CHECK(integer(half, "progress") == 50);
    const auto ended = daemon.expect_and_agree("task_update");
    CHECK(text(ended, "status") == "completed");
    CHECK(integer(ended, "fence") == 17);
    CHECK(integer(ended, "result.exitCode") == 0);
    const auto output = text(ended, "result.output");
    CHECK(output.find(R"("title":"A task")") != std::string::npos); // the task came in on its standard input
    CHECK(output.find("t1 w1") != std::string::npos);
    CHECK(output.find("progress") == std::string::npos);

    ctl.signal(SIGTERM);
    const auto left = ctl.wait();
    CHECK(left.status == 0);
    CHECK(left.out.find("[t1] t1 w1") != std::string::npos);
    CHECK(left.err.find("[t1] to the log") != std::string::npos);
}

SCENARIO("a task that is nested deep is run like any other", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"true"}));
    daemon.accept();
    daemon.register_worker();
    Json deep = 1;
    for (int level = 0; level < 60; ++level) // as deep as a daemon lets in that was told nothing else
        deep = Json(boost::json::array{std::move(deep)});
    daemon.send(
        {{"type", "task_assigned"}, {"task", {{"id", "t1"}, {"attempt", 1}, {"fence", 5}, {"deep", deep}}}});
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "in_progress");
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "completed");
}

SCENARIO("an attempt that is told twice runs once", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", for_ever}));
    give_task(daemon);
    daemon.assign("t1", 1, 5);
    CHECK(text(daemon.expect_and_agree("task_update"), "status") ==
          "in_progress"); // confirmed again, that is all
    daemon.assign("t2", 1, 6);
    daemon.expect_and_agree("task_update");
    ctl.await_out("[t1] begun");
    ctl.await_out("[t2] begun");
    CHECK(occurrences(ctl.out(), "[t1] begun") == 1);
    CHECK(occurrences(ctl.err(), "task t1: started") == 1);
}

SCENARIO("commands run on while the daemon is away, and their ends are reported until confirmed",
         "[worker run]")
{
    FakeDaemon daemon;
    const TempDir folder;
    auto ctl = start(daemon, worker({}, {"sh", "-c", until_file, folder.file("go")}));
    give_task(daemon);
    daemon.drop();
    ctl.await_err("trying again");
    write_file(folder.file("go"), "");
    ctl.await_err("task t1: completed");

    daemon.accept();
    daemon.register_worker({"t1"});
    const auto report = daemon.expect("task_update");
    CHECK(text(report, "status") == "completed");
    CHECK(integer(report, "fence") == 5);
    daemon.drop(); // before it has agreed

    daemon.accept();
    daemon.register_worker({"t1"});
    daemon.assign("t1", 1, 5); // which it sends again, having heard nothing
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "completed");
    ctl.signal(SIGTERM);
    CHECK(ctl.wait().status == 0);
    CHECK(occurrences(ctl.out(), "begun") == 1);
}

SCENARIO("an end that the daemon cannot write down is reported again later", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"true"}));
    give_task(daemon);
    daemon.refuse(daemon.expect("task_update"), "STORAGE_FAILED");
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "completed");
}

SCENARIO("a command whose lease is lost is ended and not reported", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", for_ever}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    const auto update = daemon.expect("task_update");
    ctl.await_out("begun");
    SECTION("when an update is refused")
    {
        daemon.refuse(update, "STALE_ATTEMPT");
    }
    SECTION("when an error says so")
    {
        daemon.send({{"type", "error"}, {"message", "Stale"}, {"code", "STALE_ATTEMPT"}, {"taskId", "t1"}});
    }
    SECTION("when the daemon does not name it at the next registration")
    {
        daemon.drop();
        daemon.accept();
        daemon.register_worker();
    }
    ctl.await_err("task t1: its command has ended");
    daemon.assign("t2", 1, 6);
    CHECK(text(daemon.expect_and_agree("task_update"), "taskId") == "t2");
}

SCENARIO("another attempt of a running task takes its place", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", for_ever}));
    give_task(daemon);
    ctl.await_out("begun 1");
    daemon.assign("t1", 2, 9);
    const auto update = daemon.expect_and_agree("task_update");
    CHECK(integer(update, "attempt") == 2);
    CHECK(integer(update, "fence") == 9);
    ctl.await_out("begun 2");
    ctl.await_err("task t1: its command has ended");
}

SCENARIO("a worker that comes back under the name of another takes over its tasks", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", for_ever}));
    daemon.accept();
    daemon.register_worker({"t9"});
    const auto question = daemon.expect("get_task");
    CHECK(text(question, "taskId") == "t9");
    daemon.send(
        {{"type", "response"},
         {"requestId", field(question, "requestId")},
         {"success", true},
         {"task",
          {{"id", "t9"}, {"assignedTo", "w1"}, {"status", "in_progress"}, {"attempt", 2}, {"fence", 8}}}});
    CHECK(integer(daemon.expect_and_agree("task_update"), "fence") == 8);
    ctl.await_out("[t9] begun 2");
}

SCENARIO("no more than --max-tasks run at once", "[worker run]")
{
    FakeDaemon daemon;
    const TempDir folder;
    auto ctl = start(daemon, worker({"--max-tasks", "1"}, {"sh", "-c", until_file, folder.file("go")}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.assign("t2", 1, 6);
    CHECK(text(daemon.expect_and_agree("task_update"), "taskId") == "t1");
    write_file(folder.file("go"), "");
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "completed");
    CHECK(text(daemon.expect_and_agree("task_update"), "taskId") == "t2");
}

SCENARIO("the first signal lets running tasks finish, the second ends them", "[worker run]")
{
    FakeDaemon daemon;
    const TempDir folder;
    const int number = GENERATE(SIGINT, SIGTERM);
    auto ctl = start(daemon, worker({}, {"sh", "-c", until_file, folder.file("go")}));
    give_task(daemon);
    ctl.await_out("begun");
    ctl.signal(number);
    ctl.await_err("finishing 1 task(s)");
    daemon.assign("t2", 1, 6);
    ctl.await_err("task t2: not begun");
    SECTION("once")
    {
        write_file(folder.file("go"), "");
        const auto report = daemon.expect_and_agree("task_update");
        CHECK(text(report, "taskId") == "t1");
        CHECK(text(report, "status") == "completed");
    }
    SECTION("twice")
    {
        ctl.signal(number);
    }
    CHECK(ctl.wait().status == 0);
    CHECK(occurrences(ctl.out(), "begun") == 1);
}

SCENARIO("a registration that is wrong ends the worker, with one line", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"true"}));
    daemon.accept();
    daemon.expect("register");
    daemon.send({{"type", "error"}, {"message", "workerId is too long"}, {"code", "INVALID_FIELD"}});
    const auto ended = ctl.wait();
    CHECK(ended.status == 1);
    CHECK(ended.err == "coordctl: the daemon refused: workerId is too long (INVALID_FIELD)\n");
}
