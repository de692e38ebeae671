#include "ctl/ctl_process.hpp"
#include "ctl/fake_daemon.hpp"
#include "support/connection.hpp"
#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

#include <fstream>
#include <thread>

using namespace coordination::testing;

namespace {

// Says that it runs, then runs until the file is there.
const std::string until_file =
    "echo begun $COORDINATION_ATTEMPT; while ! test -e \"$0\"; do sleep 0.02; done; echo ended";
const std::string for_ever = "echo begun $COORDINATION_ATTEMPT; exec sleep 1000";

Arguments worker(const Arguments& options, const Arguments& command)
{
    Arguments all{"worker", "run", "--capabilities", "a,b", "--id", "w1"};
    all.insert(all.end(), options.begin(), options.end());
    all.emplace_back("--");
    all.insert(all.end(), command.begin(), command.end());
    return all;
}

/// Without HTTP: signing off is refused by the system, which is as good as an answer.
CtlProcess start(const FakeDaemon& daemon, const Arguments& args)
{
    return CtlProcess(free_port(), daemon.ws_port(), args);
}

int number_after(const std::string& text, const std::string& word)
{
    return std::stoi(text.substr(text.find(word) + word.size()));
}

/// A killed orphan stays in the list until its new parent takes notice.
void await_gone(int pid)
{
    const Deadline deadline;
    const auto stat = "/proc/" + std::to_string(pid) + "/stat";
    const auto alive = [&] {
        std::ifstream file(stat);
        std::string all;
        return std::getline(file, all) && all.find(") Z ") == std::string::npos;
    };
    while (alive()) {
        REQUIRE_FALSE(deadline.passed());
        std::this_thread::yield();
    }
}

} // namespace

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

SCENARIO("a command that fails, is killed, or cannot begin fails its task", "[worker run]")
{
    FakeDaemon daemon;
    const TempDir folder;
    Arguments command;
    std::string message;
    SECTION("with its exit status")
    {
        command = {"sh", "-c", "echo broken >&2; exit 3"};
        message = "sh ended with exit status 3";
    }
    SECTION("with the signal")
    {
        command = {"sh", "-c", "echo broken >&2; kill -9 $$"};
        message = "sh was ended by SIGKILL";
    }
    SECTION("with the reason why it could not begin")
    {
        write_file(folder.file("garbage"), "#!/none/such\n");
        std::filesystem::permissions(folder.file("garbage"), std::filesystem::perms::owner_all);
        command = {folder.file("garbage")};
        message = "cannot start " + folder.file("garbage") + ": No such file or directory";
    }
    auto ctl = start(daemon, worker({}, command));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 1);
    auto ended = daemon.expect_and_agree("task_update");
    if (text(ended, "status") == "in_progress")
        ended = daemon.expect_and_agree("task_update");
    CHECK(text(ended, "status") == "failed");
    CHECK(text(ended, "error.message") == message);
    if (command.front() == "sh")
        CHECK(text(ended, "error.stderr") == "broken");
}

SCENARIO("an attempt that is told twice runs once", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", for_ever}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
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
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
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
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
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
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
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
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
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

SCENARIO("a terminal that goes, or a quit, ends the commands and all that they began", "[worker run]")
{
    FakeDaemon daemon;
    const int number = GENERATE(SIGHUP, SIGQUIT);
    auto ctl = start(daemon, worker({}, {"sh", "-c", "sleep 1000 & echo child $!.; wait"}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
    ctl.await_out(".\n");
    const auto child = number_after(ctl.out(), "child ");
    ctl.signal(number);
    CHECK(ctl.wait().status == 0);
    await_gone(child);
}

SCENARIO("what a command leaves running ends with it", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", "sleep 1000 >&- 2>&- & echo child $!."}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "completed");
    ctl.await_out(".\n");
    await_gone(number_after(ctl.out(), "child "));
}

SCENARIO("a command that does not want to end is killed after the grace", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({"--grace", "0.1"},
                                    {"sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
    ctl.await_out("deaf");
    ctl.signal(SIGTERM);
    ctl.await_err("finishing");
    ctl.signal(SIGTERM);
    CHECK(ctl.wait().status == 0);
}

SCENARIO("a command shares neither our sockets nor our terminal's Ctrl-C", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", R"sh(ls -l /proc/$$/fd | grep -c socket
        test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own group)sh"}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
    const auto ended = daemon.expect_and_agree("task_update");
    CHECK(text(ended, "result.output") == "0\nown group");
}

SCENARIO("a command may ignore its input, and what it leaves running holds nothing up", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({}, {"sh", "-c", "exec <&-; sleep 30 & echo done"}));
    daemon.accept();
    daemon.register_worker();
    daemon.send({{"type", "task_assigned"},
                 {"task", {{"id", "t1"}, {"attempt", 1}, {"data", std::string(1 << 20, 'x')}}}});
    daemon.expect_and_agree("task_update");
    const auto ended = daemon.expect_and_agree("task_update");
    CHECK(text(ended, "result.output") == "done");
}

SCENARIO("a chatty command has one progress update under way", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl =
        start(daemon,
              worker({}, {"sh", "-c", "for i in $(seq 1 100); do echo progress $i; done; exec sleep 1000"}));
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    const auto first = daemon.expect("task_update");
    daemon.assign("t2", 1, 6); // its own first update comes next: nothing of t1 has piled up
    CHECK(text(daemon.expect("task_update"), "taskId") == "t2");
    ctl.signal(SIGTERM);
    ctl.await_err("finishing");
    daemon.agree(first);
    auto last = daemon.expect_and_agree("task_update");
    while (integer(last, "progress") < 100)
        last = daemon.expect_and_agree("task_update");
    CHECK(text(last, "taskId") == "t1");
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
