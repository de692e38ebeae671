#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <future>

using namespace coordination::testing;

namespace {

constexpr int task_count = 200'000;

/// The original's format, which anyone can write.
void write_large_snapshot(const std::string& path)
{
    std::ofstream out(path);
    out << R"({"workers":{},"assignments":{},"workerTasks":{},"metadata":{},"timestamps":{},"tasks":{)";
    for (int i = 0; i < task_count; ++i)
        out << (i ? "," : "") << "\"task-" << i << R"(":{"id":"task-)" << i
            << R"(","title":"One of very many tasks","type":"development","capabilities":["development"],"status":"completed","result":{"n":)"
            << i << R"(},"completedAt":1763970160500})";
    out << "}}";
}

/// Reads a whole list with a connection of its own.
HttpReply read_list(std::uint16_t port, const std::string& target)
{
    return HttpPeer(port).get(target);
}

} // namespace

SCENARIO("a list of 200,000 tasks comes whole, while others are served", "[large]")
{
    const TempDir folder;
    write_large_snapshot(folder.file("state.json"));
    DaemonProcess daemon(folder, {"--persistence", "periodic-snapshot", "--snapshot-path",
                                  folder.file("state.json"), "--snapshot-interval", "3600000"});
    Worker worker(daemon, "w1");
    const auto* target =
        GENERATE("/api/tasks", "/api/state", "/api/tasks?status=completed&capability=development");
    CAPTURE(target);
    auto list = std::async(std::launch::async, read_list, daemon.http_port(), std::string(target));
    do {
        worker.send(R"({"type":"heartbeat","workerId":"w1"})");
        worker.expect("heartbeat_ack");
    } while (list.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready);
    const auto reply = list.get();
    CHECK(reply.status == 200);
    CHECK(occurrences(reply.body, "One of very many tasks") == task_count);
    const auto document = reply.json();
    CHECK(field(document, "tasks").as_array().size() == task_count);
    CHECK_FALSE(has(document, "nextCursor"));
    if (std::string_view(target) == "/api/state")
        CHECK(field(document, "metadata.totalTasks") == task_count);
}

SCENARIO("a reader that stops in the middle of a large list costs the others nothing", "[large]")
{
    const TempDir folder;
    write_large_snapshot(folder.file("state.json"));
    DaemonProcess daemon(folder, {"--persistence", "periodic-snapshot", "--snapshot-path",
                                  folder.file("state.json"), "--snapshot-interval", "3600000"});
    Api api(daemon);
    HttpPeer stuck(daemon.http_port());
    stuck.send("GET /api/tasks HTTP/1.1\r\nHost: " + stuck.host() + "\r\n\r\n");
    CHECK(stuck.connection().read_more()); // the head and a little more, and no further
    Worker worker(daemon, "w1", R"(["a"])");
    for (int i = 0; i < 100; ++i) {
        const auto id = "new-" + std::to_string(i);
        api.assign(id, "", R"({"capabilities":["a"]})");
        CHECK(worker.expect("task_assigned")["task.id"] == Json(id));
        api.complete(id);
    }
    api.post("/api/snapshot", "");
    const auto reply = stuck.read();
    CHECK(occurrences(reply.body, "One of very many tasks") == task_count);
    CHECK(reply.json().is_object()); // well formed, though tasks came while it was written
}
