#include "ctl/worker_run.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

#include <fstream>
#include <thread>

using namespace coordination::testing;

namespace {

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

SCENARIO("a terminal that goes, or a quit, ends the commands and all that they began", "[worker run]")
{
    FakeDaemon daemon;
    const int number = GENERATE(SIGHUP, SIGQUIT);
    auto ctl = start(daemon, worker({}, {"sh", "-c", "sleep 1000 & echo child $!.; wait"}));
    give_task(daemon);
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
    give_task(daemon);
    CHECK(text(daemon.expect_and_agree("task_update"), "status") == "completed");
    ctl.await_out(".\n");
    await_gone(number_after(ctl.out(), "child "));
}

SCENARIO("a command that does not want to end is killed after the grace", "[worker run]")
{
    FakeDaemon daemon;
    auto ctl = start(daemon, worker({"--grace", "0.1"},
                                    {"sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"}));
    give_task(daemon);
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
    give_task(daemon);
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
