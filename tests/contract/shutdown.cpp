#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>

using namespace coordination::testing;

SCENARIO("SIGTERM and SIGINT close sockets with 1001 and end in exit status 0", "[shutdown]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    Watcher watcher(daemon, R"(["tasks:*"])");
    HttpPeer idle(daemon.http_port());
    CHECK(idle.get("/health").status == 200);
    daemon.signal(GENERATE(SIGTERM, SIGINT));
    CHECK(worker.close_code() == 1001);
    CHECK(watcher.close_code() == 1001);
    CHECK(idle.closed());
    CHECK(daemon.wait().status == 0);
}

SCENARIO("a stop is not held up by peers that say nothing", "[shutdown]")
{
    const auto drain_timeout = std::chrono::milliseconds{300};
    DaemonProcess daemon({"--drain-timeout", std::to_string(drain_timeout.count()), "--handshake-timeout",
                          "3600000", "--request-timeout", "3600000"});
    Worker silent(daemon, "w1"); // never answers the close
    HttpPeer half(daemon.http_port());
    half.send("POST /api/tasks/assign HTTP/1.1\r\nHost: x\r\nContent-Le");
    HttpPeer unasked(daemon.ws_port());
    const auto begun = std::chrono::steady_clock::now();
    CHECK(daemon.terminate().status == 0);
    CHECK(std::chrono::steady_clock::now() - begun <
          drain_timeout + patience / 4); // a loaded machine is slow
}

SCENARIO("what was answered before the signal is in the final snapshot", "[shutdown][persistence]")
{
    const TempDir folder;
    const Arguments args{"--persistence",           "periodic-snapshot",   "--snapshot-path",
                         folder.file("state.json"), "--snapshot-interval", "3600000"};
    {
        DaemonProcess daemon(folder, args);
        Api api(daemon);
        api.register_worker("w1");
        for (int i = 0; i < 10; ++i)
            api.assign("t" + std::to_string(i));
        CHECK(daemon.terminate().status == 0);
    }
    CHECK(std::filesystem::file_size(folder.file("state.json")) > 0);
    DaemonProcess daemon(folder, args);
    CHECK(field(Api(daemon).state(), "metadata.totalTasks") == 10);
}

SCENARIO("a daemon that was stopped leaves nothing behind but its snapshot", "[shutdown][persistence]")
{
    const TempDir folder;
    {
        DaemonProcess daemon(folder, {"--persistence", "periodic-snapshot", "--snapshot-path",
                                      folder.file("data/state.json")});
        Api(daemon).post("/api/snapshot", "");
        Api(daemon).post("/api/snapshot", "");
    }
    int others = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "data")) {
        INFO(entry.path());
        const auto name = entry.path().filename().string();
        CHECK((name == "state.json" || name.find("lock") != std::string::npos));
        ++others;
    }
    CHECK(others >= 1);
}
