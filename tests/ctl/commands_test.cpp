#include "ctl/ctl_process.hpp"
#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

using namespace coordination::testing;

namespace {

/// The answer of a command that must succeed, as JSON.
Json json_of(const DaemonProcess& daemon, Arguments args)
{
    args.emplace_back("--json");
    const auto ended = ctl(daemon, args);
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    return parse(ended.out);
}

bool has_line(const std::string& text, std::string_view begin, std::string_view part)
{
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        const auto line = std::string_view(text).substr(at, end - at);
        if (line.starts_with(begin) && line.find(part) != std::string_view::npos)
            return true;
        at = end == std::string::npos ? text.size() : end + 1;
    }
    return false;
}

} // namespace

SCENARIO("workers are listed and shown", "[coordctl]")
{
    DaemonProcess daemon;
    CHECK(ctl(daemon, {"worker", "ls"}).out.find("No workers") == 0);
    Worker worker(daemon, "w1", R"(["development","security"])");
    Api(daemon).assign("t1");

    const auto list = ctl(daemon, {"worker", "ls"});
    CHECK(list.status == 0);
    CHECK(list.out.starts_with("ID  STATUS"));
    CHECK(has_line(list.out, "w1", "development, security"));
    const auto one = ctl(daemon, {"worker", "info", "w1"});
    CHECK(has_line(one.out, "running", "1"));
    CHECK(has_line(one.out, "registered", "ago"));
    CHECK(text(json_of(daemon, {"worker", "ls"}), "workers.0.id") == "w1");
    CHECK(text(json_of(daemon, {"worker", "info", "w1"}), "id") == "w1");
    CHECK(list.out.find('\033') == std::string::npos);
}

SCENARIO("a task is assigned, looked at and ended", "[coordctl]")
{
    DaemonProcess daemon;
    Worker w1(daemon, "w1", R"(["a","b"])");
    Worker w2(daemon, "w2", R"(["a"])");
    const auto assigned = ctl(daemon, {"task", "assign", "t/1", "--capabilities", "a,b", "--priority", "high",
                                       "--data", R"({"title":"A title","n":0.5})"});
    CHECK(assigned.status == 0);
    CHECK(assigned.out == "task t/1 assigned to w1\n");
    CHECK(ctl(daemon, {"task", "assign", "t2", "--worker", "w2"}).out == "task t2 assigned to w2\n");

    const auto info = ctl(daemon, {"task", "info", "t/1"});
    CHECK(has_line(info.out, "worker", "w1"));
    CHECK(has_line(info.out, "title", "A title"));
    const auto told = json_of(daemon, {"task", "info", "t/1"});
    CHECK(text(told, "priority") == "high");
    CHECK(number(told, "n") == 0.5);

    CHECK(ctl(daemon, {"task", "complete", "t/1", "--result", R"({"ok":true})"}).out ==
          "task t/1 completed\n");
    CHECK(ctl(daemon, {"task", "complete", "t/1"}).out == "task t/1 completed (it already was)\n");
    CHECK(ctl(daemon, {"task", "fail", "t2", "--message", "no luck"}).status == 0);
    CHECK(field(json_of(daemon, {"task", "info", "t/1"}), "result.ok") == true);
    CHECK(text(json_of(daemon, {"task", "info", "t2"}), "error.message") == "no luck");

    const auto list = ctl(daemon, {"task", "ls"});
    CHECK(has_line(list.out, "t/1", "completed"));
    CHECK(has_line(list.out, "t2", "failed"));
    const auto failed = ctl(daemon, {"task", "ls", "--status", "failed"});
    CHECK(failed.out.find("t/1") == std::string::npos);
    CHECK(has_line(failed.out, "t2", "failed"));
    CHECK(json_of(daemon, {"task", "ls", "--capability", "b"}).at("tasks").as_array().size() == 1);
    CHECK(json_of(daemon, {"task", "ls", "--limit", "1"}).at("tasks").as_array().size() == 1);
}

SCENARIO("a list of tasks goes on where it was cut", "[coordctl]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "2000"});
    Worker worker(daemon, "w1");
    Api api(daemon);
    for (int i = 0; i < 1100; ++i)
        api.assign("t" + std::to_string(i));
    const auto all = ctl(daemon, {"task", "ls"});
    CHECK(occurrences(all.out, "assigned") == 1100);
    const auto some = ctl(daemon, {"task", "ls", "--limit", "600"});
    CHECK(occurrences(some.out, "assigned") == 600);
    const auto at = some.out.find("--cursor ");
    REQUIRE(at != std::string::npos);
    const auto cursor = some.out.substr(at + 9, some.out.size() - at - 10);
    CHECK(occurrences(ctl(daemon, {"task", "ls", "--cursor", cursor}).out, "assigned") == 500);
}

SCENARIO("state and metrics are told for people and for programs", "[coordctl]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    Api api(daemon);
    api.assign("t1");
    api.assign("t2");
    api.complete("t1");
    const auto state = ctl(daemon, {"state"});
    CHECK(has_line(state.out, "workers", "1"));
    CHECK(has_line(state.out, "tasks", "2 (1 assigned, 1 completed)"));
    CHECK(has_line(state.out, "assignments", "1"));
    CHECK(integer(json_of(daemon, {"state"}), "metadata.totalTasks") == 2);
    const auto metrics = ctl(daemon, {"metrics"});
    CHECK(metrics.out.starts_with("daemon\n"));
    CHECK(has_line(metrics.out, "totalTasksProcessed", "1"));
    CHECK(has_line(metrics.out, "latency p99", ""));
    CHECK(integer(json_of(daemon, {"metrics"}), "daemon.activeTasks") == 1);
}

SCENARIO("a snapshot is written where there is a place for it", "[coordctl]")
{
    const TempDir folder;
    DaemonProcess daemon(folder, {"--persistence", "periodic-snapshot", "--snapshot-path", "state.json"});
    const auto done = ctl(daemon, {"snapshot"});
    CHECK(done.status == 0);
    CHECK(done.out == "Snapshot created\n");
    CHECK(std::filesystem::exists(folder.file("state.json")));

    DaemonProcess forgetful;
    const auto refused = ctl(forgetful, {"snapshot"});
    CHECK(refused.status == 1);
    CHECK(refused.err.find("--persistence") != std::string::npos);
}

SCENARIO("messages are published and listened to", "[coordctl]")
{
    DaemonProcess daemon;
    CtlProcess listen(daemon, {"message", "listen", "jobs:*"});
    Api api(daemon);
    for (const Deadline deadline; integer(api.get("/api/metrics").json(), "messageBus.subscriberCount") == 0;)
        REQUIRE_FALSE(deadline.passed());
    CHECK(ctl(daemon, {"message", "publish", "jobs:x", "--id", "m1", "--payload", R"({"n":1})"}).out ==
          "m1 published\n");
    listen.await_out(R"(m1  jobs:x  "normal"  try 1  {"n":1})");
    CHECK(ctl(daemon, {"message", "publish", "jobs:x", "--id", "m1"}).out == "m1 was published before\n");
    listen.signal(SIGINT);
    listen.wait();
    const auto refused = ctl(daemon, {"message", "publish", "jobs:x", "--to", "nobody"});
    CHECK(refused.status == 1);
    CHECK(refused.err.find("WORKER_NOT_FOUND") != std::string::npos);
}

SCENARIO("watch prints one line per change", "[coordctl]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    const auto before = api.revision();
    api.assign("t1");

    SECTION("for people")
    {
        CtlProcess watch(daemon, {"watch", "tasks:*", "--since", std::to_string(before), "--values"});
        watch.await_out("t1  assigned at w1");
        api.complete("t1");
        watch.await_out("t1  completed at w1");
        CHECK(occurrences(watch.out(), "\n") == 2);
        watch.signal(SIGINT);
        watch.wait();
    }
    SECTION("for programs")
    {
        CtlProcess watch(daemon,
                         {"--json", "watch", "assignments:delete", "--since", std::to_string(before)});
        api.complete("t1");
        watch.await_out("\n");
        const auto frame = parse(watch.out());
        CHECK(text(frame, "type") == "state_change");
        CHECK(text(frame, "change.key") == "t1");
    }
    SECTION("until the daemon is gone, and says how to go on")
    {
        CtlProcess watch(daemon, {"watch", "tasks:*", "--since", std::to_string(before)});
        watch.await_out("t1");
        daemon.terminate();
        const auto ended = watch.wait();
        CHECK(ended.status == 1);
        CHECK(ended.err.find("lost the daemon") != std::string::npos);
        CHECK(ended.err.find("--since") != std::string::npos);
    }
    SECTION("and refuses a revision that is to come")
    {
        const auto ended = ctl(daemon, {"watch", "*", "--since", std::to_string(before + 1'000'000'000)});
        CHECK(ended.status == 1);
        CHECK(ended.err.find("INVALID_FIELD") != std::string::npos);
    }
}

SCENARIO("top shows one frame into a pipe and redraws a terminal until q", "[coordctl]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    Api(daemon).assign("t1");
    const auto once = ctl(daemon, {"top"});
    CHECK(once.status == 0);
    CHECK(once.out.find("healthy") != std::string::npos);
    CHECK(has_line(once.out, "w1", "busy"));
    CHECK(has_line(once.out, "t1", "assigned"));
    CHECK(once.out.find('\033') == std::string::npos);

    CtlProcess top(daemon, {"top", "--interval", "0.1"}, {}, Streams::terminal);
    top.await_out("q quits");
    Api(daemon).assign("t2");
    top.await_out("t2");
    SECTION("q")
    {
        top.type("q");
    }
    SECTION("Ctrl-C")
    {
        top.type("\x03");
    }
    const auto ended = top.wait();
    CHECK(ended.status == 0);
    CHECK(ended.out.ends_with("\033[?25h\033[?1049l")); // the cursor and the old screen are back
}

SCENARIO("top goes on when the daemon is away", "[coordctl]")
{
    DaemonProcess daemon;
    CtlProcess top(daemon, {"top", "--interval", "0.1"}, {}, Streams::terminal);
    top.await_out("q quits");
    daemon.terminate();
    top.await_out("cannot reach the daemon");
    top.type("q");
    CHECK(top.wait().status == 0);
}

SCENARIO("what others wrote cannot steer the operator's terminal", "[coordctl]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    Api api(daemon);
    api.assign("t1", "", R"({"title":"\u001b[2J\u009bcruel\nworld"})");
    const Arguments args = GENERATE(Arguments{"task", "ls"}, Arguments{"task", "info", "t1"},
                                    Arguments{"top", "--json"}, Arguments{"task", "info", "t1", "--json"});
    CtlProcess shown(daemon, args, {{"NO_COLOR", "1"}}, Streams::terminal);
    const auto ended = shown.wait();
    CHECK(ended.out.find("cruel") != std::string::npos);
    CHECK(ended.out.find('\033') == std::string::npos);
    CHECK(ended.out.find("\u009b") == std::string::npos);
}

SCENARIO("colours are for terminals that want them", "[coordctl]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    const auto shown = [&](const Environment& environment) {
        return CtlProcess(daemon, {"worker", "ls"}, environment, Streams::terminal).wait().out;
    };
    CHECK(shown({}).find("\033[32midle\033[0m") != std::string::npos);
    CHECK(shown({{"NO_COLOR", "1"}}).find('\033') == std::string::npos);
    CHECK(shown({{"TERM", "dumb"}}).find('\033') == std::string::npos);
}

SCENARIO("a refusal is one line that says what to do, and exit status 1", "[coordctl]")
{
    DaemonProcess daemon;
    const auto check = [&](const Arguments& args, std::string_view code) {
        const auto ended = ctl(daemon, args);
        INFO(ended.err);
        CHECK(ended.status == 1);
        CHECK(ended.out.empty());
        CHECK(ended.err.starts_with("coordctl: the daemon refused: "));
        CHECK(ended.err.find(code) != std::string::npos);
        CHECK(occurrences(ended.err, "\n") == 1);
    };
    check({"task", "info", "nobody"}, "TASK_NOT_FOUND");
    check({"worker", "info", "nobody"}, "WORKER_NOT_FOUND");
    check({"task", "assign", "t1"}, "NO_AVAILABLE_WORKERS");
    check({"task", "complete", "t1"}, "TASK_NOT_FOUND");

    const auto for_programs = ctl(daemon, {"task", "info", "nobody", "--json"});
    CHECK(for_programs.status == 1);
    CHECK(text(parse(for_programs.out), "code") == "TASK_NOT_FOUND");
}

SCENARIO("a daemon that is not there is one line that says what to do, and exit status 1", "[coordctl]")
{
    const auto port = free_port();
    const Arguments args =
        GENERATE(Arguments{"state"}, Arguments{"watch", "*"}, Arguments{"top"}, Arguments{"export"});
    const auto ended = CtlProcess(port, port, args).wait();
    CHECK(ended.status == 1);
    CHECK(ended.out.empty());
    CHECK(ended.err.starts_with("coordctl: cannot reach the daemon at "));
    CHECK(ended.err.find(":" + std::to_string(port) + ": connection refused; start it with ./tools/start") !=
          std::string::npos);
    CHECK(occurrences(ended.err, "\n") == 1);
}

SCENARIO("a daemon with a token is reached with the token", "[coordctl]")
{
    const TempDir folder;
    write_file(folder.file("token"), "very-secret-token-of-the-fleet\n");
    DaemonProcess daemon({"--token-file", folder.file("token")});
    const Arguments args =
        GENERATE(Arguments{"state"}, Arguments{"watch", "*", "--since", "9000000000000000"});
    const auto without = ctl(daemon, args);
    CHECK(without.status == 1);
    CHECK(without.err.find("--token-file") != std::string::npos);
    const Environment with{{"COORDINATION_TOKEN_FILE", folder.file("token")}};
    const auto ended = ctl(daemon, args, with);
    if (args.front() == "state")
        CHECK(ended.status == 0);
    else
        CHECK(ended.err.find("INVALID_FIELD") != std::string::npos); // let in, and then told of the revision
}

SCENARIO("an output that cannot be written is a failure", "[coordctl]")
{
    DaemonProcess daemon;
    const auto status =
        std::system(("COORDINATION_HTTP_URL=http://127.0.0.1:" + std::to_string(daemon.http_port()) +
                     " \"${COORD_BIN_DIR:-" COORD_BIN_DIR_DEFAULT "}\"/coordctl state >/dev/full 2>/dev/null")
                        .c_str());
    CHECK(WEXITSTATUS(status) == 1);
}
