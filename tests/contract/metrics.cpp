#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <sstream>

using namespace coordination::testing;

namespace {

Json metrics(Api& api)
{
    return api.get("/api/metrics").json();
}

constexpr std::array contract_fields{"daemon.operations",
                                     "daemon.operationsPerSecond",
                                     "daemon.averageLatency",
                                     "daemon.latency.p50",
                                     "daemon.latency.p95",
                                     "daemon.latency.p99",
                                     "daemon.latency.max",
                                     "daemon.activeWorkers",
                                     "daemon.activeTasks",
                                     "daemon.pendingTasks",
                                     "daemon.totalTasksProcessed",
                                     "daemon.totalTasksFailed",
                                     "daemon.startTime",
                                     "daemon.uptime",
                                     "stateStore.operations",
                                     "stateStore.transactions",
                                     "stateStore.rollbacks",
                                     "stateStore.revision",
                                     "stateStore.snapshots",
                                     "stateStore.walWrites",
                                     "stateStore.walBytes",
                                     "stateStore.collections.workers",
                                     "stateStore.collections.tasks",
                                     "stateStore.collections.assignments",
                                     "stateStore.collections.workerTasks",
                                     "stateStore.collections.metadata",
                                     "messageBus.messagesSent",
                                     "messageBus.messagesReceived",
                                     "messageBus.messagesDelivered",
                                     "messageBus.messagesDropped",
                                     "messageBus.messagesRetried",
                                     "messageBus.averageLatency",
                                     "messageBus.queueDepth",
                                     "messageBus.subscriberCount",
                                     "messageBus.queue.total",
                                     "messageBus.queue.critical",
                                     "messageBus.queue.high",
                                     "messageBus.queue.normal",
                                     "messageBus.queue.low",
                                     "messageBus.pendingAcks",
                                     "messageBus.topics",
                                     "messageBus.workers",
                                     "websockets.connections",
                                     "websockets.slowConsumersDropped"};

/// What the Prometheus text says: the type of each name, the value of each series.
struct Exposition {
    std::map<std::string, std::string> types;
    std::map<std::string, double> samples;

    bool has(const std::string& start) const
    {
        const auto found = samples.lower_bound(start);
        return found != samples.end() && found->first.starts_with(start);
    }
};

/// Checks each line on the way.
Exposition exposition(const std::string& text)
{
    Exposition read;
    const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
    const std::regex sample(
        R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*")*\})? (NaN|[+-]?Inf|[-+0-9.eE]+))");
    std::map<std::string, double> buckets; // the last count of each histogram
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        std::smatch match;
        if (line.starts_with('#')) {
            REQUIRE(std::regex_match(line, match, comment));
            if (match[1] == "TYPE") {
                CHECK(read.types.emplace(match[2], match[3]).second); // once per name
            }
            continue;
        }
        REQUIRE(std::regex_match(line, match, sample));
        const auto series = match[1].str() + match[2].str();
        CHECK(read.samples.emplace(series, std::stod(match[6])).second);
        if (match[1].str().ends_with("_bucket")) {
            auto labels = std::regex_replace(series, std::regex(R"(,?le="[^"]*")"), "");
            auto& last = buckets[labels];
            CHECK(read.samples[series] >= last); // cumulative
            last = read.samples[series];
        }
    }
    return read;
}

} // namespace

SCENARIO("the metrics have every field of the contract, numbers all", "[metrics]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto all = metrics(api);
    for (const auto* path : contract_fields) {
        INFO(path);
        CHECK(field(all, path).is_number());
    }
    CHECK(integer(all, "daemon.startTime") > 1'700'000'000'000); // milliseconds since 1970
}

SCENARIO("what is not there yet in the metrics is null, not absent", "[metrics]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto all = metrics(api);
    CHECK(field(all, "stateStore.lastSnapshot").is_null());
    CHECK(field(all, "stateStore.lastWalSync").is_null());
}

SCENARIO("gauges and totals agree with the state", "[metrics]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon);
    Worker gone(daemon, "gone", R"(["x"])");
    api.register_worker("w1");
    api.register_worker("w2");
    api.register_worker("c", R"(["c"])");
    api.assign("t1", "w1");
    api.assign("t2", "w2");
    api.assign("t3", "w2");
    api.assign("t4", "c", R"({"capabilities":["c"]})");
    api.unregister("c");
    api.complete("t2");
    api.fail("t3");
    gone.close();
    watcher.await_worker("gone", "offline");

    const auto all = metrics(api);
    CHECK(field(all, "daemon.activeWorkers") == 2); // offline ones are left out
    CHECK(field(all, "daemon.activeTasks") == 1);
    CHECK(field(all, "daemon.pendingTasks") == 1);
    CHECK(field(all, "daemon.totalTasksFailed") == 1);
    CHECK(integer(all, "daemon.totalTasksProcessed") >= 1);
    CHECK(integer(all, "daemon.totalTasksProcessed") <= 2);
    CHECK(field(all, "stateStore.collections.workers") == 3);
    CHECK(field(all, "stateStore.collections.tasks") == 4);
    CHECK(field(all, "stateStore.collections.assignments") == 1);
    CHECK(field(all, "stateStore.revision") == Json(api.revision()));
    CHECK(field(all, "websockets.connections") == 1);

    // A repeated and a refused end count nothing.
    api.complete("t2");
    api.http.post("/api/tasks/complete", R"({"taskId":"t3"})");
    const auto later = metrics(api);
    CHECK(field(later, "daemon.totalTasksProcessed") == field(all, "daemon.totalTasksProcessed"));
    CHECK(field(later, "daemon.totalTasksFailed") == 1);
}

SCENARIO("operations and latencies are counted, times tell this start", "[metrics]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto before = metrics(api);
    for (int i = 0; i < 50; ++i)
        api.register_worker("w" + std::to_string(i));
    const auto after = metrics(api);
    CHECK(integer(after, "daemon.operations") >= integer(before, "daemon.operations") + 50);
    CHECK(integer(after, "stateStore.transactions") >= integer(before, "stateStore.transactions") + 50);
    CHECK(integer(after, "stateStore.operations") >= integer(before, "stateStore.operations") + 50);
    CHECK(number(after, "daemon.operationsPerSecond") > 0);
    CHECK(number(after, "daemon.averageLatency") > 0);
    CHECK(number(after, "daemon.averageLatency") <= number(after, "daemon.latency.max"));
    CHECK(number(after, "daemon.latency.p50") <= number(after, "daemon.latency.p95"));
    CHECK(number(after, "daemon.latency.p95") <= number(after, "daemon.latency.p99"));
    CHECK(number(after, "daemon.latency.max") < 20'000); // milliseconds
    CHECK(integer(after, "daemon.startTime") > 1'600'000'000'000);
    CHECK(integer(after, "daemon.uptime") < 60'000);
    const auto worker = api.worker("w0");
    CHECK(integer(worker, "registeredAt") >= integer(after, "daemon.startTime"));
}

SCENARIO("a snapshot shows in the metrics", "[metrics]")
{
    const TempDir folder;
    DaemonProcess daemon(
        folder, {"--persistence", "periodic-snapshot", "--snapshot-path", folder.file("state.json")});
    Api api(daemon);
    api.register_worker("w1");
    const auto before = integer(metrics(api), "stateStore.snapshots");
    api.post("/api/snapshot", "");
    const auto after = metrics(api);
    CHECK(integer(after, "stateStore.snapshots") == before + 1);
    const std::regex iso(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)");
    CHECK(std::regex_match(text(after, "stateStore.lastSnapshot"), iso));
}

SCENARIO("/metrics is the Prometheus text format, and says the same", "[metrics]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    api.complete("t1");
    api.assign("t2");
    const auto reply = api.get("/metrics");
    CHECK_THAT(reply.header("content-type").value_or(""), Catch::StartsWith("text/plain"));
    CHECK(reply.body.ends_with('\n'));

    const auto read = exposition(reply.body);
    std::size_t histograms = 0;
    for (const auto& [name, type] : read.types) {
        INFO(name);
        CHECK((type == "counter" || type == "gauge" || type == "histogram" || type == "summary"));
        if (type != "histogram")
            continue;
        ++histograms;
        CHECK(read.has(name + "_bucket"));
        CHECK(read.has(name + "_sum"));
        CHECK(read.has(name + "_count"));
        CHECK(reply.body.find(name + "_bucket") != std::string::npos);
        CHECK(reply.body.find("le=\"+Inf\"") != std::string::npos);
    }
    CHECK(histograms > 0);
    const auto says = [&](const std::string& part, double value) { // the names are the daemon's own choice
        return std::any_of(read.samples.begin(), read.samples.end(), [&](const auto& s) {
            return s.first.find(part) != std::string::npos && s.second == value;
        });
    };
    CHECK(says("revision", static_cast<double>(api.revision())));
    CHECK(says("worker", 1));
    CHECK(says("task", 1));
}
