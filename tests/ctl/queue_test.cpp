#include "cli/ctl/cortex/export_queue.hpp"
#include "cli/ctl/cortex/import_plan.hpp"
#include "cli/ctl/cortex/import_progress.hpp"
#include "cli/ctl/cortex/import_summary.hpp"
#include "cli/ctl/json_text.hpp"
#include "support/temp_dir.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace coordination::ctl;
namespace json = boost::json;

namespace {

std::string real_queue()
{
    return coordination::testing::read_file(COORD_TEST_DATA "/cortex-task-queue.json");
}

CortexQueue queue_of(std::string_view text)
{
    auto queue = parse_cortex_queue(text);
    REQUIRE(queue.has_value());
    return std::move(*queue);
}

std::string problem(std::string_view text)
{
    const auto queue = parse_cortex_queue(text);
    REQUIRE_FALSE(queue.has_value());
    return queue.error();
}

std::vector<PlannedTask> plan_of(const CortexQueue& queue, bool include_assigned = false)
{
    auto plan = plan_import(queue, include_assigned);
    REQUIRE(plan.has_value());
    return std::move(*plan);
}

std::size_t count(const std::vector<PlannedTask>& plan, Handling handling)
{
    return static_cast<std::size_t>(std::ranges::count(plan, handling, &PlannedTask::handling));
}

json::object object(std::string_view text)
{
    return json::parse(text).get_object();
}

} // namespace

TEST_CASE("the real queue has 14 tasks to hand out, 12 that are finished, 2 that others are at", "[import]")
{
    const auto queue = queue_of(real_queue());
    REQUIRE(queue.tasks.size() == 28);
    const auto plan = plan_of(queue);
    CHECK(count(plan, Handling::hand_out) == 14);
    CHECK(count(plan, Handling::finish) == 12);
    CHECK(count(plan, Handling::leave_alone) == 2);
    CHECK(count(plan_of(queue, true), Handling::hand_out) == 16);
}

TEST_CASE("the most urgent task comes first, then the first in the file", "[import]")
{
    const auto queue = queue_of(R"({"tasks":[
        {"id":"low","status":"pending","priority":"low"},
        {"id":"medium","status":"pending","priority":"medium"},
        {"id":"none","status":"pending"},
        {"id":"high-1","status":"pending","priority":"high"},
        {"id":"critical","status":"pending","priority":"critical"},
        {"id":"normal","status":"pending","priority":"normal"},
        {"id":"high-2","status":"pending","priority":"high"}]})");
    std::string order;
    for (const auto& planned : plan_of(queue))
        order += queue.tasks[planned.index].id + " ";
    CHECK(order == "critical high-1 high-2 medium none normal low ");
}

TEST_CASE("dependencies are found by their id or the end of it", "[import]")
{
    const auto queue = queue_of(R"({"tasks":[
        {"id":"self-opt-meta-001","status":"pending"},
        {"id":"self-opt-meta-002","status":"pending","context":{"dependencies":["meta-001"]}},
        {"id":"a-x-001","status":"pending"},
        {"id":"b-x-001","status":"pending"},
        {"id":"last","status":"pending","context":{"dependencies":["x-001","a-x-001","nobody"]}},
        {"id":"odd","status":"pending","context":{"dependencies":"a-x-001"}}]})");
    const auto plan = plan_of(queue);
    CHECK(plan[1].waits_for == std::vector<std::size_t>{0});
    CHECK(plan[4].waits_for == std::vector<std::size_t>{2});
    CHECK(plan[4].unknown_dependencies == std::vector<std::string>{"x-001", "nobody"});
    CHECK(plan[5].waits_for.empty());
}

TEST_CASE("dependencies in a circle are refused before anything is handed out", "[import]")
{
    const auto queue = queue_of(R"({"tasks":[
        {"id":"a","status":"pending","context":{"dependencies":["b"]}},
        {"id":"b","status":"pending","context":{"dependencies":["a"]}},
        {"id":"done","status":"completed","context":{"dependencies":["a"]}}]})");
    CHECK(plan_import(queue, false).error().find("circle") != std::string::npos);
}

TEST_CASE("a file that is no queue is refused with the place", "[import]")
{
    CHECK(problem("{\"tasks\": [\n {\"id\" 1}]}").starts_with("line 2, column 8: "));
    CHECK(problem("{\"tasks\": [").starts_with("line 1, column 12: "));
    CHECK(problem("[]").find("no task queue") != std::string::npos);
    CHECK(problem(R"({"tasks":{}})").find("no task queue") != std::string::npos);
    CHECK(problem(R"({"tasks":[{"id":"a","status":"pending"},7]})") == "tasks[1] is no object");
    CHECK(problem(R"({"tasks":[{"status":"pending"}]})").starts_with("tasks[0] has no \"id\""));
    CHECK(problem(R"({"tasks":[{"id":"a\n"}]})").starts_with("tasks[0] (a\\n) has no \"status\""));
    CHECK(problem(R"({"tasks":[{"id":"a","status":"x"},{"id":"a","status":"x"}]})").starts_with("tasks[1] "));
}

TEST_CASE("a task is handed out whole, with its type as the capability", "[import]")
{
    const auto queue = queue_of(R"({"tasks":[
        {"id":"t","type":"development","status":"pending","priority":"medium","score":0.95,"assigned_to":"\ndevelopment"},
        {"id":"own","type":"development","status":"pending","capabilities":["rust"]}]})");
    const auto request = assign_request(queue.tasks[0]);
    CHECK(request.at("taskId") == "t");
    CHECK(request.at("priority") == "medium");
    const auto& data = request.at("taskData").get_object();
    CHECK(data.at("capabilities") == json::array{"development"});
    CHECK(data.at("assigned_to") == "\ndevelopment");
    CHECK(data.at("score") == 0.95);
    CHECK(assign_request(queue.tasks[1]).at("taskData").at("capabilities") == json::array{"rust"});
    CHECK_FALSE(
        assign_request(queue.tasks[0], "importer").at("taskData").get_object().contains("capabilities"));
}

TEST_CASE("a finished task is ended as the file says", "[import]")
{
    const auto queue = queue_of(R"({"tasks":[
        {"id":"a","status":"completed","result":{"ok":true}},
        {"id":"b","status":"failed","error":"x"},
        {"id":"c","status":"completed"}]})");
    CHECK(end_request(queue.tasks[0], "w").target == "/api/tasks/complete");
    CHECK(end_request(queue.tasks[0], "w").body ==
          object(R"({"taskId":"a","workerId":"w","result":{"ok":true}})"));
    CHECK(end_request(queue.tasks[1], "w").target == "/api/tasks/fail");
    CHECK(end_request(queue.tasks[1], "w").body.at("error") == "x");
    CHECK_FALSE(end_request(queue.tasks[2], "w").body.contains("result"));
}

TEST_CASE("a progress bar shows what ended, and fits", "[import]")
{
    CHECK(progress_bar({.total = 14, .ended = 7, .running = 3}, 100) ==
          "[####################--------------------]   7 of 14 ended, 3 running, 4 waiting");
    CHECK(progress_bar({.total = 14, .ended = 14, .running = 0}, 30).find('[') == std::string::npos);
}

TEST_CASE("a summary leaves out what did not happen", "[import]")
{
    ImportSummary summary;
    summary.file = "queue.json";
    summary.tasks = 28;
    summary.already_there = 28;
    CHECK(summary_text(summary) == "28 tasks in queue.json\n"
                                   "   28 already in the daemon, not handed out again\n");
    summary.blocked = {"a", "b", "c", "d", "e", "f"};
    CHECK(summary_text(summary).find("a, b, c, d, e and 1 more") != std::string::npos);
}

TEST_CASE("an exported task keeps its fields in their order", "[export]")
{
    const auto original =
        object(R"({"id":"t","title":"T","priority":"high","status":"pending","created_at":"C",
                                     "context":{"x":0.5}})");
    const auto task = object(R"({"id":"t","title":"T","priority":"high","created_at":"C","context":{"x":0.5},
        "capabilities":["development"],"status":"completed","assignedTo":"w1","assignedAt":1764000000000,
        "completedAt":1764000001000,"result":{"exitCode":0},"attempt":1,"fence":7,"createdAt":1})");
    CHECK(
        compact_json(exported_task(&original, task)) ==
        R"({"id":"t","title":"T","priority":"high","status":"completed","created_at":"C","context":{"x":0.5},)"
        R"("assigned_to":"w1","assigned_at":")" +
            cortex_time(1764000000) + R"(","completed_at":")" + cortex_time(1764000001) +
            R"(","completed_by":"w1","result":{"exitCode":0}})");
}

TEST_CASE("a task that the file does not have is exported as it was handed to the daemon", "[export]")
{
    const auto task = object(R"({"id":"t","type":"development","priority":"high","title":"T",
        "capabilities":["development"],"status":"failed","assignedTo":"w1","error":{"message":"x"},
        "failedAt":1764000001000,"createdAt":1764000000000,"attempt":1,"fence":7,"progress":3})");
    CHECK(compact_json(exported_task(nullptr, task)) ==
          R"({"id":"t","type":"development","priority":"high","status":"failed","title":"T","created_at":")" +
              cortex_time(1764000000) + R"(","assigned_to":"w1","failed_at":")" + cortex_time(1764000001) +
              R"(","error":{"message":"x"}})");
}

TEST_CASE("what was finished before keeps who finished it, and when", "[export]")
{
    const auto original =
        object(R"({"id":"t","status":"completed","assigned_to":"security","completed_by":"scan-032",
                                     "completed_at":"2025","result":{"a":1}})");
    auto task = original;
    task["assignedTo"] = "coordctl-import-17";
    task["completedAt"] = 1764000001000;
    CHECK(exported_task(&original, task) == original);
}

TEST_CASE("a task that waits again names nobody", "[export]")
{
    const auto original =
        object(R"({"id":"t","assigned_to":"\ndevelopment","assigned_at":"x","status":"assigned"})");
    const auto task = object(R"({"id":"t","status":"pending","assignedTo":null})");
    CHECK(compact_json(exported_task(&original, task)) == R"({"id":"t","status":"pending"})");
}

TEST_CASE("an export brings a queue up to date and loses nothing of it", "[export]")
{
    auto queue = queue_of(real_queue());
    const auto before = json::parse(real_queue()).get_object();
    const auto done =
        object(R"({"id":"self-opt-meta-001","status":"completed","assignedTo":"w1","completedAt":1000})");
    const auto other = object(R"({"id":"another","status":"pending","createdAt":1000})");
    const auto after = exported_queue(std::move(queue), json::array{other, done}, 1764000000);

    CHECK(after.at("updated_at") == json::value(cortex_time(1764000000)));
    CHECK(after.at("stats").at("note") == before.at("stats").at("note"));
    CHECK(after.at("stats").at("total_tasks") == 29);
    CHECK(after.at("stats").at("completed_tasks") == 13);
    const auto& tasks = after.at("tasks").get_array();
    REQUIRE(tasks.size() == 29);
    CHECK(tasks[28].at("id") == "another");
    std::size_t unchanged = 0;
    for (std::size_t i = 0; i < 28; ++i)
        unchanged += json::serialize(tasks[i]) == json::serialize(before.at("tasks").get_array()[i]) ? 1 : 0;
    CHECK(unchanged == 27);
}

TEST_CASE("a queue that nothing happened to is written as it was read", "[export]")
{
    auto text = real_queue();
    auto queue = queue_of(text);
    auto after = exported_queue(std::move(queue), json::array{}, 0);
    const auto before = json::parse(text);
    after["updated_at"] = before.at("updated_at");
    auto stats = before.at("stats").get_object();
    // The file's own figures were of an earlier time; those that an export counts are true.
    for (const auto& member : after.at("stats").get_object())
        stats[member.key()] = member.value();
    CHECK(after.at("stats").get_object() == stats);
    after["stats"] = before.at("stats");
    while (text.ends_with('\n'))
        text.pop_back();
    CHECK(pretty_json(after) == text);
}
