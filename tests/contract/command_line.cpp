#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

Json printed_config(const Arguments& args, const Environment& environment = {})
{
    auto all = args;
    all.emplace_back("--print-config");
    const auto ended = DaemonProcess::run(all, environment);
    if (ended.status != 0)
        throw std::runtime_error("--print-config ended with " + std::to_string(ended.status) + ": " +
                                 ended.err);
    return parse(ended.out);
}

Json setting(const Json& value, std::string_view source)
{
    return {{"value", value}, {"source", source}};
}

} // namespace

SCENARIO("the ready line tells both addresses, and nothing else is on standard output", "[cli]")
{
    DaemonProcess daemon;
    CHECK(daemon.ready_line() == "listening http=127.0.0.1:" + std::to_string(daemon.http_port()) +
                                     " ws=127.0.0.1:" + std::to_string(daemon.ws_port()));
    const auto line = daemon.ready_line() + "\n";
    CHECK(daemon.terminate().out == line);
}

SCENARIO("flags are the original's, long and short", "[cli]")
{
    for (int tries = 0;; ++tries) {
        const auto http = free_port();
        const auto ws = free_port();
        try {
            const TempDir folder;
            DaemonProcess daemon(folder, {"-p", std::to_string(http), "-w", std::to_string(ws), "-h",
                                          "127.0.0.1", "--persistence=memory-only"});
            CHECK(daemon.http_port() == http);
            CHECK(daemon.ws_port() == ws);
            return;
        } catch (const std::runtime_error&) {
            if (tries == 3) // the ports may have been taken since
                throw;
        }
    }
}

SCENARIO("a flag beats the variable, the variable the preset, the preset the default", "[cli]")
{
    const Environment port{{"COORDINATION_PORT", "1234"}};
    CHECK(field(printed_config({}), "port") == setting(9500, "default"));
    CHECK(field(printed_config({"--preset", "production"}), "port") == setting(9500, "preset"));
    CHECK(field(printed_config({"--preset", "production"}, port), "port") == setting(1234, "env"));
    CHECK(field(printed_config({"--preset", "production", "--port", "4321"}, port), "port") ==
          setting(4321, "flag"));
    CHECK(field(printed_config({}), "host") == setting("127.0.0.1", "default"));
    CHECK(field(printed_config({"--preset", "highAvailability"}), "persistence") ==
          setting("write-ahead-log", "preset"));
    CHECK(field(printed_config({"--preset", "testing"}), "persistence") == setting("memory-only", "preset"));
    CHECK(field(printed_config({}, {{"COORDINATION_PRESET", "production"}}), "persistence") ==
          setting("periodic-snapshot", "preset"));
    CHECK(field(printed_config({"--wal-sync-interval", "0"}), "wal-sync-interval") == setting(0, "flag"));
}

SCENARIO("variables configure a daemon that runs", "[cli]")
{
    const Environment variables{{"COORDINATION_MAX_TASKS_PER_WORKER", "1"},
                                {"COORDINATION_HEARTBEAT_INTERVAL", "777"}};
    DaemonProcess daemon(Arguments{}, variables);
    Worker worker(daemon, "w1");
    CHECK(worker.registered["heartbeatInterval"] == 777);
    Api api(daemon);
    api.assign("t1");
    CHECK(api.http.post("/api/tasks/assign", R"({"taskId":"t2"})").status == 409);
}

SCENARIO("a wrong flag or value is one line that names it, and exit status 2", "[cli]")
{
    struct Case {
        Arguments args;
        Environment environment;
        std::string named;
    };
    for (const auto& [args, environment, named] : std::vector<Case>{
             {{"--nonsense"}, {}, "--nonsense"},
             {{"--port", "many"}, {}, "port"},
             {{"--port", "65536"}, {}, "port"},
             {{"--ws-port", "-1"}, {}, "ws-port"},
             {{"--preset", "staging"}, {}, "staging"},
             {{"--persistence", "tape"}, {}, "tape"},
             {{"--heartbeat-interval", "5000", "--heartbeat-timeout", "5000"}, {}, "heartbeat-timeout"},
             {{"--snapshot-interval", "0"}, {}, "snapshot-interval"},
             {{"--heartbeat-interval", "0"}, {}, "heartbeat-interval"},
             {{"--max-tasks-per-worker", "0"}, {}, "max-tasks-per-worker"},
             {{}, {{"COORDINATION_PORT", "many"}}, "COORDINATION_PORT"},
             {{}, {{"COORDINATION_PERSISTENCE", "tape"}}, "tape"},
             {{"--token-file", "/nowhere/at/all"}, {}, "/nowhere/at/all"},
             {{"stray"}, {}, "stray"},
         }) {
        INFO(named);
        const auto ended = DaemonProcess::run(args, environment);
        CHECK(ended.status == 2);
        CHECK_THAT(ended.err, Catch::Contains(named));
        CHECK(occurrences(ended.err, "\n") == 1);
        CHECK(ended.out.empty());
    }
}

SCENARIO("--help names every flag, --version the version that /health tells", "[cli]")
{
    const auto help = DaemonProcess::run({"--help"});
    CHECK(help.status == 0);
    for (const auto* flag : {"--port",
                             "-p",
                             "--ws-port",
                             "-w",
                             "--host",
                             "-h",
                             "--persistence",
                             "--snapshot-interval",
                             "--snapshot-path",
                             "--wal-path",
                             "--wal-sync-interval",
                             "--max-tasks-per-worker",
                             "--heartbeat-interval",
                             "--heartbeat-timeout",
                             "--preset",
                             "--help",
                             "--version",
                             "--print-config",
                             "--insecure",
                             "--token-file",
                             "--allow-origin"}) {
        INFO(flag);
        CHECK_THAT(help.out, Catch::Contains(flag));
    }
    const auto version = DaemonProcess::run({"--version"});
    CHECK(version.status == 0);
    DaemonProcess daemon;
    CHECK_THAT(version.out, Catch::Contains(text(Api(daemon).get("/health").json(), "version")));
}

SCENARIO("a port that is taken stops the start with one line and exit status 1", "[cli]")
{
    DaemonProcess daemon;
    const auto http = std::to_string(daemon.http_port());
    const auto ws = std::to_string(daemon.ws_port());
    const bool http_taken = GENERATE(true, false);
    const auto port = http_taken ? http : ws;
    const auto ended = DaemonProcess::run({"--persistence", "memory-only", "--port", http_taken ? http : "0",
                                           "--ws-port", http_taken ? "0" : ws});
    CHECK(ended.status == 1);
    CHECK_THAT(ended.err, Catch::Contains(port));
    CHECK(occurrences(ended.err, port) == 1);
    CHECK(ended.out.empty());
    CHECK(Api(daemon).get("/health").status == 200);
}

SCENARIO("a state folder in use stops the start with one line and exit status 1", "[cli]")
{
    const TempDir folder;
    const Arguments args{"--persistence",   "periodic-snapshot",
                         "--snapshot-path", folder.file("state.json"),
                         "--port",          "0",
                         "--ws-port",       "0"};
    DaemonProcess daemon(folder, args);
    const auto ended = DaemonProcess::run(folder, args);
    CHECK(ended.status == 1);
    CHECK_THAT(ended.err, Catch::Contains(folder.path().string()));
    CHECK(ended.out.empty());
    daemon.kill(); // what a crash leaves behind does not stop the next start
    DaemonProcess next(folder, args);
    CHECK(Api(next).get("/health").status == 200);
}
