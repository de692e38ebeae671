#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <thread>

using namespace coordination::testing;

namespace {

/// A task whose whole value is large, so that a few changes of it fill what the kernel keeps for a socket.
constexpr std::size_t payload_bytes = 256 << 10;

void assign_large(Api& api, const std::string& task)
{
    api.assign(task, "w1", R"({"text":")" + std::string(payload_bytes, 'x') + R"("})");
}

/// The worker of those tasks: each report of it changes one.
class Reporter : public Worker {
public:
    explicit Reporter(const DaemonProcess& daemon) : Worker(daemon, "w1") {}

    std::int64_t report(const std::string& task)
    {
        progress_ = progress_ % 100 + 1;
        const auto reply = call(R"({"type":"task_update","taskId":")" + task + R"(","progress":)" +
                                std::to_string(progress_) + "}");
        return integer(reply.json, "revision");
    }

private:
    int progress_ = 0;
};

std::int64_t metric(Api& api, const char* name)
{
    return integer(api.get("/api/metrics").json(), name);
}

const std::string coalesce = R"(,"values":true,"policy":"coalesce")";

std::string subscribe(std::string_view more, std::string_view topics = R"(["tasks:*"])")
{
    return R"({"type":"subscribe","topics":)" + std::string(topics) + std::string(more) + "}";
}

/// What a subscriber that has read up to a revision knows of each task.
struct Read {
    std::map<std::string, Json> values; ///< none once it was deleted
    std::vector<std::int64_t> revisions;
    std::vector<Json> gaps;
};

void read_until(WsPeer& peer, std::int64_t revision, Read& read)
{
    while (read.revisions.empty() || read.revisions.back() < revision) {
        auto message = peer.next();
        if (message.type() == "state_gap") {
            read.gaps.push_back(message.json);
            continue;
        }
        REQUIRE(message.type() == "state_change");
        const auto change = message["change"];
        const auto at = integer(change, "revision");
        REQUIRE((read.revisions.empty() || read.revisions.back() < at));
        read.revisions.push_back(at);
        const auto key = text(change, "key");
        if (text(change, "operation") == "delete")
            read.values.erase(key);
        else
            read.values[key] = field(change, "value");
    }
}

void report_until_merged(Api& api, Reporter& reporter, const std::vector<std::string>& tasks)
{
    const auto before = metric(api, "websockets.changesMerged");
    for (std::size_t i = 0; metric(api, "websockets.changesMerged") < before + 20; ++i) {
        REQUIRE(i < 1'000);
        reporter.report(tasks[i % tasks.size()]);
    }
}

} // namespace

SCENARIO("a subscriber that coalesces and stops reading is told of the gap, and ends in the same state",
         "[subscribe][slow]")
{
    DaemonProcess daemon({"--heartbeat-timeout", "60000"});
    Api api(daemon);
    Reporter reporter(daemon);
    WsPeer slow(daemon.ws_port());
    CHECK(slow.call(subscribe(coalesce + R"(,"budget":2000000)"))["success"] == Json(true));
    WsPeer witness(daemon.ws_port()); // of all that happens, without the values
    witness.call(subscribe(""));
    for (const auto* task : {"t1", "t2", "t3", "t4"})
        assign_large(api, task);
    report_until_merged(api, reporter, {"t1", "t2", "t3"});
    api.complete("t4");
    api.post("/api/tasks/delete", R"({"taskId":"t4"})");
    const auto last = reporter.report("t1");

    Read all;
    read_until(slow, last, all);
    CHECK(all.values.size() == 3);
    for (const auto& [key, value] : all.values)
        CHECK(value == api.task(key));
    REQUIRE(all.gaps.size() >= 1);
    CHECK(metric(api, "websockets.gaps") == std::int64_t(all.gaps.size()));
    CHECK(metric(api, "websockets.slowConsumersDropped") == 0);

    std::set<std::int64_t> missed;
    while (missed.empty() || *missed.rbegin() < last)
        missed.insert(integer(witness.expect("state_change").json, "change.revision"));
    for (const auto revision : all.revisions)
        CHECK(missed.erase(revision) == 1);
    std::int64_t announced = 0;
    for (const auto& gap : all.gaps)
        announced += integer(gap, "changes") - integer(gap, "kept");
    CHECK(std::int64_t(missed.size()) == announced);
    for (const auto revision : missed) {
        INFO(revision);
        CHECK(std::ranges::any_of(all.gaps, [&](const Json& gap) {
            return integer(gap, "from") <= revision && revision < integer(gap, "to");
        }));
    }
    THEN("it follows on as before")
    {
        const auto gaps = all.gaps.size();
        read_until(slow, reporter.report("t2"), all);
        CHECK(all.gaps.size() == gaps);
    }
}

SCENARIO("a worker that coalesces and does not read keeps its leases, is sent more, and is answered",
         "[subscribe][slow]")
{
    DaemonProcess daemon({"--heartbeat-timeout", "60000"});
    Api api(daemon);
    Reporter reporter(daemon);
    Worker slow(daemon, "slow", R"(["rare"])");
    CHECK(slow.call(subscribe(coalesce + R"(,"budget":1000000)"))["success"] == Json(true));
    assign_large(api, "t1");
    report_until_merged(api, reporter, {"t1"});
    api.assign("mine", "slow", "{}");
    slow.send(R"({"type":"heartbeat","workerId":"slow"})");
    slow.send(R"({"type":"task_update","taskId":"mine","status":"completed"})");
    while (text(api.task("mine"), "status") != "completed") // it is listened to all the while
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(integer(api.worker("slow"), "completedTasks") == 1);
    std::set<std::string> types;
    while (!types.contains("heartbeat_ack") || !types.contains("task_assigned"))
        types.insert(slow.next().type());
    CHECK_FALSE(types.contains("error"));
}

SCENARIO("a subscriber that stops reading is cut off at its budget, unless it coalesces", "[subscribe][slow]")
{
    DaemonProcess daemon({"--heartbeat-timeout", "60000"});
    Api api(daemon);
    Reporter reporter(daemon);
    const auto policy = GENERATE(as<std::string>{}, "", R"(,"policy":"disconnect")", R"(,"policy":null)");
    WsPeer slow(daemon.ws_port());
    CHECK(slow.call(subscribe(R"(,"values":true,"budget":1000000)" + policy))["success"] == Json(true));
    assign_large(api, "t1");
    for (int i = 0; metric(api, "websockets.slowConsumersDropped") == 0; ++i) {
        REQUIRE(i < 1'000);
        reporter.report("t1");
    }
    bool gap = false;
    try {
        for (;;)
            gap = gap || slow.next().type() == "state_gap";
    } catch (const std::exception&) { // the connection ended
    }
    CHECK_FALSE(gap);
}

SCENARIO("a subscriber that coalesces more keys than its budget holds is cut off", "[subscribe][slow]")
{
    DaemonProcess daemon({"--heartbeat-timeout", "60000", "--max-tasks-per-worker", "1000"});
    Api api(daemon);
    Reporter reporter(daemon);
    WsPeer slow(daemon.ws_port());
    CHECK(slow.call(subscribe(coalesce + R"(,"budget":1000000)"))["success"] == Json(true));
    for (int i = 0; metric(api, "websockets.slowConsumersDropped") == 0; ++i) {
        REQUIRE(i < 500);
        assign_large(api, "t" + std::to_string(i));
    }
    CHECK(metric(api, "websockets.gaps") == 0);
}

SCENARIO("since and coalesce go together", "[subscribe][slow]")
{
    // No more is remembered than some changes, so that who catches up slowly is overtaken.
    DaemonProcess daemon({"--heartbeat-timeout", "60000", "--watch-bytes-max", "30000000"});
    Api api(daemon);
    Reporter reporter(daemon);
    const auto since = api.revision();
    for (const auto* task : {"t1", "t2"})
        assign_large(api, task);
    for (int i = 0; i < 60; ++i) // 15 MB of them
        reporter.report("t1");
    WsPeer late(daemon.ws_port());
    const auto more = coalesce + R"(,"budget":1000000,"since":)" + std::to_string(since);
    CHECK(late.call(subscribe(more))["success"] == Json(true));
    Read all;
    SECTION("who reads is sent all of it")
    {
        const auto last = reporter.report("t2");
        read_until(late, last, all);
        CHECK(all.gaps.empty());
        CHECK(all.revisions.size() == 63);
    }
    SECTION("who is overtaken while it catches up is told of the gap")
    {
        report_until_merged(api, reporter, {"t1"});
        const auto last = reporter.report("t2");
        read_until(late, last, all);
        CHECK(all.gaps.size() >= 1);
    }
    CHECK(all.values.at("t1") == api.task("t1"));
    CHECK(all.values.at("t2") == api.task("t2"));
}

SCENARIO("an unknown policy and a budget that is none are INVALID_FIELD, and what was followed stays",
         "[subscribe][slow]")
{
    DaemonProcess daemon({"--subscription-bytes-max", "5000"});
    Api api(daemon);
    Watcher watcher(daemon, R"(["workers:*"])");
    const auto [more, name] = GENERATE(table<std::string, std::string>({
        {R"(,"policy":"drop")", "policy"},
        {R"(,"policy":"")", "policy"},
        {R"(,"policy":1)", "policy"},
        {R"(,"policy":["coalesce"])", "policy"},
        {R"(,"budget":0)", "budget"},
        {R"(,"budget":-1)", "budget"},
        {R"(,"budget":1.5)", "budget"},
        {R"(,"budget":"1000")", "budget"},
        {R"(,"budget":5001)", "budget"},
    }));
    CAPTURE(more);
    const auto refused = watcher.call(subscribe(more));
    CHECK(refused["code"] == "INVALID_FIELD");
    CHECK_THAT(text(refused.json, "error"), Catch::StartsWith(name + " must be"));
    api.register_worker("w1");
    CHECK(summary(watcher.next_change()) == "workers:set:w1");
    CHECK(watcher.call(subscribe(R"(,"budget":5000,"policy":"coalesce")"))["success"] == Json(true));
}

SCENARIO("the policy and budget of a worker's subscription outlive its socket and the daemon",
         "[subscribe][slow]")
{
    const TempDir folder;
    const Arguments args{
        "--persistence",  "write-ahead-log",     "--wal-path", folder.file("wal.log"), "--snapshot-path",
        folder.file("s"), "--heartbeat-timeout", "60000",      "--wal-sync-interval",  "0"};
    {
        DaemonProcess daemon(folder, args);
        Worker worker(daemon, "slow");
        CHECK(worker.call(subscribe(coalesce + R"(,"budget":1000000)"))["success"] == Json(true));
    }
    DaemonProcess daemon(folder, args);
    Api api(daemon);
    Reporter reporter(daemon);
    Worker slow(daemon, "slow");
    assign_large(api, "t1");
    report_until_merged(api, reporter, {"t1"});
    const auto last = reporter.report("t1");
    Read all;
    read_until(slow, last, all);
    CHECK(all.gaps.size() >= 1);
    CHECK(all.values.at("t1") == api.task("t1"));
}

SCENARIO("who asks for more than an outbox holds and reads is answered all of it", "[subscribe][slow]")
{
    DaemonProcess daemon({"--heartbeat-timeout", "60000", "--outbox-bytes-max", "1000000"});
    Api api(daemon);
    Reporter reporter(daemon);
    assign_large(api, "t1");
    WsPeer peer(daemon.ws_port());
    constexpr int calls = 400; // 100 MB of replies
    std::string burst;
    for (int i = 0; i < calls; ++i)
        burst += encoded(
            {Opcode::text, R"({"type":"get_task","taskId":"t1","requestId":)" + std::to_string(i) + "}"});
    peer.send_bytes(burst);
    for (int i = 0; i < calls; ++i)
        REQUIRE(peer.expect("response")["requestId"] == Json(i));
    CHECK(metric(api, "websockets.slowConsumersDropped") == 0);
}
