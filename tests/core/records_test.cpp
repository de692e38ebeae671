#include "core/json/records.hpp"
#include "core/json/slice.hpp"

#include <catch2/catch.hpp>

using namespace coordination;

namespace {

std::string row_of(const Task& task)
{
    std::string out;
    json::append_task(out, task);
    return out;
}

Timestamp at(std::int64_t ms)
{
    return Timestamp(std::chrono::milliseconds(ms));
}

Text text(std::string_view value)
{
    return Text(value);
}

} // namespace

TEST_CASE("a task is its id, the caller's fields as they were written, then what the daemon owns",
          "[records]")
{
    Task task{.id = TaskId(std::string_view("t\"1")), .payload = text(R"("title" : "x",  "n":1e3)")};
    task.created_at = at(5);
    CHECK(row_of(task) ==
          R"({"id":"t\"1","title" : "x",  "n":1e3,"status":"pending","attempt":0,"fence":0,"createdAt":5})");
}

TEST_CASE("a task that ended tells its outcome and time under the names of its end", "[records]")
{
    Task task{.id = TaskId(std::string_view("t1"))};
    task.outcome = text(R"({"ok":true})");
    task.ended_at = at(9);
    task.attempt = 2;
    task.fence = 7;
    task.assigned_to = WorkerId(std::string_view("w1"));
    task.status = TaskStatus::completed;
    CHECK(
        row_of(task) ==
        R"({"id":"t1","status":"completed","assignedTo":"w1","result":{"ok":true},"completedAt":9,"attempt":2,"fence":7})");
    task.status = TaskStatus::failed;
    CHECK(
        row_of(task) ==
        R"({"id":"t1","status":"failed","assignedTo":"w1","error":{"ok":true},"failedAt":9,"attempt":2,"fence":7})");
    task.status = TaskStatus::cancelled;
    CHECK(row_of(task) ==
          R"({"id":"t1","status":"cancelled","assignedTo":"w1","error":{"ok":true},"cancelledAt":9,"attempt":2,"fence":7})");
}

TEST_CASE("a task that was taken back tells from whom, when, and how many leases it lost", "[records]")
{
    Task task{.id = TaskId(std::string_view("t1"))};
    task.attempt = 1;
    task.fence = 3;
    task.leases_lost = 1;
    task.reassigned_from = WorkerId(std::string_view("w1"));
    task.reassigned_at = at(8);
    CHECK(
        row_of(task) ==
        R"({"id":"t1","status":"pending","attempt":1,"fence":3,"reassignedFrom":"w1","reassignedAt":8,"leasesLost":1})");
}

TEST_CASE("each name that a task's row may hold beside the caller's is the daemon's", "[records]")
{
    Task task{.id = TaskId(std::string_view("t1")), .leases_lost = 1};
    task.progress = text("50");
    task.outcome = text("1");
    task.assigned_to = task.reassigned_from = WorkerId(std::string_view("w1"));
    task.created_at = task.last_update = task.assigned_at = task.ended_at = task.reassigned_at = at(1);
    for (int status = 0; status < task_status_count; ++status) {
        task.status = static_cast<TaskStatus>(status);
        const auto row = row_of(task);
        REQUIRE(json::validate(row, 8));
        json::Members members(row);
        while (const auto member = members.next()) {
            INFO(member->key);
            CHECK(json::owns_task_field(member->key));
        }
    }
    for (const auto* name : {"title", "priority", "capabilities", "retry", "Status", ""})
        CHECK_FALSE(json::owns_task_field(name));
}

TEST_CASE("a worker tells what the contract lists, empty values included", "[records]")
{
    Worker worker{.id = WorkerId(std::string_view("w1"))};
    std::string out;
    json::append_worker(out, worker);
    CHECK(
        out ==
        R"({"id":"w1","capabilities":[],"metadata":{},"status":"offline","activeTasks":0,"completedTasks":0,)"
        R"("failedTasks":0,"registeredAt":0,"lastHeartbeat":0,"lastSeen":0,"subscriptions":[]})");
    worker.online = true;
    CHECK(worker.status() == WorkerStatus::idle);
    worker.active_tasks = 1;
    CHECK(worker.status() == WorkerStatus::busy);
    worker.draining = true;
    CHECK(worker.status() == WorkerStatus::draining);
}
