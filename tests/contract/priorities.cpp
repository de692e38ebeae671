#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

SCENARIO("a priority is kept as it was written", "[priority]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    for (const auto* priority : {"critical", "high", "normal", "medium", "low"}) {
        INFO(priority);
        const std::string in_data = std::string("data-") + priority;
        const std::string beside = std::string("beside-") + priority;
        const auto member = R"("priority":")" + std::string(priority) + "\"";
        CHECK(field(api.assign(in_data, "", "{" + member + "}"), "task.priority") == Json(priority));
        CHECK(api.post("/api/tasks/assign",
                       R"({"taskId":")" + beside + "\"," + member + "}")["task.priority"] == Json(priority));
        CHECK(occurrences(api.get("/api/tasks/" + in_data).body, "\"priority\":") == 1);
        api.complete(in_data);
        api.complete(beside);
    }
}

SCENARIO("waiting tasks go out most urgent first, then oldest, and medium is normal", "[priority]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "20"});
    Api api(daemon);
    api.register_worker("w1");
    const std::vector<std::pair<std::string, std::string>> tasks{
        {"t1", "low"}, {"t2", "medium"}, {"t3", "critical"}, {"t4", "normal"},   {"t5", "high"},
        {"t6", "low"}, {"t7", "none"},   {"t8", "medium"},   {"t9", "critical"}, {"t10", "high"},
    };
    for (const auto& [id, priority] : tasks) {
        api.assign(id, "", priority == "none" ? "{}" : R"({"priority":")" + priority + "\"}");
        api.next_millisecond("w1"); // so that the age of each is its own
    }
    api.unregister("w1");
    Worker worker(daemon, "w2");
    for (const auto* expected : {"t3", "t9", "t5", "t10", "t2", "t4", "t7", "t8", "t1", "t6"})
        CHECK(worker.expect("task_assigned")["task.id"] == Json(expected));
}

SCENARIO("room that comes free goes to the most urgent task that waits", "[priority]")
{
    DaemonProcess daemon({"--max-tasks-per-worker", "1"});
    Api api(daemon);
    for (const auto* id : {"a", "b", "c"}) {
        api.register_worker(id);
        api.assign(std::string("task-") + id, id, id == std::string("b") ? R"({"priority":"high"})" : "{}");
        api.next_millisecond(id);
    }
    for (const auto* id : {"a", "b", "c"})
        api.unregister(id); // those that are left have no room, so in the end all three wait
    Worker worker(daemon, "w");
    CHECK(worker.expect("task_assigned")["task.id"] == "task-b");
    worker.send(R"({"type":"task_update","taskId":"task-b","status":"completed"})");
    CHECK(worker.expect("task_assigned")["task.id"] == "task-a");
    worker.send(R"({"type":"task_update","taskId":"task-a","status":"failed","error":"x"})");
    CHECK(worker.expect("task_assigned")["task.id"] == "task-c");
}
