#include "ctl/ctl_process.hpp"
#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <random>

using namespace coordination::testing;
using namespace std::chrono_literals;

namespace {

const Arguments quick{"--heartbeat-interval", "200", "--heartbeat-timeout", "1000"};

std::unique_ptr<CtlProcess> worker(const DaemonProcess& daemon, const std::string& id,
                                   const std::string& script)
{
    const Arguments args{"worker", "run", "--capabilities", "x", "--id", id, "--", "sh", "-c", script};
    return std::make_unique<CtlProcess>(daemon, args);
}

/// How long the fleet is under fire: COORD_FLEET_SECONDS, for the long run.
std::chrono::seconds under_fire()
{
    const char* told = std::getenv("COORD_FLEET_SECONDS");
    return std::chrono::seconds(told ? std::atoi(told) : 4);
}

} // namespace

SCENARIO("a worker that is stopped beyond its lease and goes on is refused", "[loss]")
{
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    const auto stopped = worker(daemon, "stopped", "sleep 2");
    stopped->await_err("registered at");
    api.post("/api/tasks/submit", R"({"taskId":"t1","capabilities":["x"]})");
    watcher.await_task("t1", "in_progress");
    stopped->signal(SIGSTOP);
    watcher.await_task("t1", "pending");
    const auto other = worker(daemon, "other", "exit 0");
    const auto done = watcher.await_task("t1", "completed");
    CHECK(text(done, "assignedTo") == "other");
    CHECK(integer(done, "attempt") == 2);
    CHECK(text(done, "pastAttempts.0.end") == "lost");
    const auto revision = integer(done, "lastUpdate");
    stopped->signal(SIGCONT);
    stopped->await_err("attempt 1 is not the live one");
    CHECK(integer(api.task("t1"), "lastUpdate") == revision);
    CHECK(text(api.task("t1"), "assignedTo") == "other");
}

SCENARIO("a fleet that loses random members ends every task exactly once", "[loss]")
{
    constexpr int size = 50;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    DaemonProcess daemon(quick);
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:update"])");
    std::vector<std::unique_ptr<CtlProcess>> fleet;
    int started = 0;
    const auto start = [&] { return worker(daemon, "w" + std::to_string(started++), "sleep 0.3"); };
    for (int i = 0; i < size; ++i)
        fleet.push_back(start());

    int tasks = 0;
    const auto end = std::chrono::steady_clock::now() + under_fire();
    while (std::chrono::steady_clock::now() < end) {
        std::string batch;
        for (int i = 0; i < 10; ++i)
            batch += (batch.empty() ? "" : ",") + (R"({"taskId":"t)" + std::to_string(tasks++)) +
                     R"(","capabilities":["x"],"crashLimit":1000})";
        api.post("/api/tasks/submit-batch", R"({"tasks":[)" + batch + "]}");
        auto& victim = fleet[random() % fleet.size()];
        victim->signal(random() % 2 == 0 ? SIGKILL : SIGTERM);
        victim->wait();
        victim = start();
    }
    std::map<std::string, int> ends;
    int ended = 0;
    while (ended < tasks) {
        const auto change = watcher.next_change();
        const auto status = text(change, "value.status");
        REQUIRE(status != "failed");
        if (status != "completed")
            continue;
        CHECK(++ends[text(change, "key")] == 1);
        ++ended;
    }
    CHECK(static_cast<int>(ends.size()) == tasks);
    CHECK(integer(api.state(), "metadata.activeAssignments") == 0);
    for (const auto& member : fleet)
        member->signal(SIGKILL), member->wait();
}
