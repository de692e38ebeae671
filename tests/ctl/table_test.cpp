#include "cli/ctl/json_text.hpp"
#include "cli/ctl/state_commands.hpp"
#include "cli/ctl/table.hpp"
#include "cli/ctl/top.hpp"
#include "cli/ctl/watch.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace coordination::ctl;
namespace json = boost::json;

namespace {

json::object object(std::string_view text)
{
    return json::parse(text).get_object();
}

std::size_t lines(const std::string& text)
{
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

} // namespace

TEST_CASE("the columns of a table are as wide as their widest cell", "[table]")
{
    Table table({{"ID"}, {"N", Align::right}, {"TITLE"}});
    table.add({{"a"}, {"1"}, {"first"}});
    table.add({{"日本"}, {"100"}, {""}});
    CHECK(table.render(Style{}, 0) == "ID      N  TITLE\n"
                                      "a       1  first\n"
                                      "日本  100\n");
}

TEST_CASE("the last column of a table is cut to the terminal", "[table]")
{
    Table table({{"ID"}, {"TITLE"}});
    table.add({{"task-1"}, {"a title that is too long for it"}});
    CHECK(table.render(Style{}, 20) == "ID      TITLE\n"
                                       "task-1  a title tha…\n");
}

TEST_CASE("colours do not shift the columns", "[table]")
{
    Table table({{"STATUS"}, {"ID"}});
    table.add({{"idle", Colour::green}, {"w1"}});
    CHECK(table.render(Style{.colours = true}, 0) == "\033[1mSTATUS\033[0m  \033[1mID\033[0m\n"
                                                     "\033[32midle\033[0m    w1\n");
}

TEST_CASE("JSON is written as people write it", "[json]")
{
    const auto value = json::parse(R"({"b":0.95,"a":[1,{"x":null}],"e":{},"l":[],"s":"ü\n","w":1.0,"n":-7})");
    CHECK(compact_json(value) == R"({"b":0.95,"a":[1,{"x":null}],"e":{},"l":[],"s":"ü\n","w":1.0,"n":-7})");
    CHECK(pretty_json(json::parse(R"({"b":[1,2],"a":{"c":[]}})")) == "{\n"
                                                                     "  \"b\": [\n"
                                                                     "    1,\n"
                                                                     "    2\n"
                                                                     "  ],\n"
                                                                     "  \"a\": {\n"
                                                                     "    \"c\": []\n"
                                                                     "  }\n"
                                                                     "}");
}

TEST_CASE("things are counted by status, most frequent first", "[state]")
{
    const auto tasks = json::parse(R"([{"status":"failed"},{"status":"pending"},{"status":"completed"},
                                       {"status":"pending"}])");
    CHECK(counted_by_status(&tasks.get_array()) == "4 (2 pending, 1 completed, 1 failed)");
    CHECK(counted_by_status(nullptr) == "0");
}

TEST_CASE("a change is one line, whatever its key holds", "[watch]")
{
    const auto frame = object(R"({"type":"state_change","timestamp":1000,"change":{"collection":"tasks",
        "key":"evil\n\u001b[2J","operation":"update","revision":42,
        "value":{"status":"in_progress","assignedTo":"w1","progress":50}}})");
    const auto line = change_line(frame, Style{});
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.find("42  tasks        update  evil\\n\\u001b[2J  in_progress at w1 50%") !=
          std::string::npos);
}

TEST_CASE("a frame of top fits the terminal", "[top]")
{
    TopView view;
    view.address = "http://127.0.0.1:9500";
    view.health = object(R"({"status":"healthy"})");
    view.metrics = object(R"({"daemon":{"activeTasks":3,"pendingTasks":12,"uptime":61000,
        "latency":{"p50":0.1,"p95":0.5,"p99":1.25}},"messageBus":{"queueDepth":0}})");
    for (int i = 0; i < 50; ++i) {
        view.workers.push_back(
            json::object{{"id", "w" + std::to_string(i)}, {"status", "idle"}, {"activeTasks", i}});
        view.tasks.push_back(json::object{{"id", "t" + std::to_string(i)}, {"status", "in_progress"}});
    }
    SECTION("into a pipe, all of it")
    {
        const auto frame = top_frame(view, 1000, Style{}, 0, 0);
        CHECK(frame.find("3 held, 12 waiting") != std::string::npos);
        CHECK(frame.find("p99 1.25 ms") != std::string::npos);
        CHECK(frame.find("up 1m 1s") != std::string::npos);
        CHECK(lines(frame) > 100);
        CHECK(frame.find("w49") < frame.find("w48")); // the busiest first
    }
    SECTION("on a terminal, as much as it has lines")
    {
        const auto rows = GENERATE(0U + 8, 24U, 40U, 200U);
        const auto frame = top_frame(view, 1000, Style{}, 100, rows);
        CHECK(lines(frame) < rows);
        if (rows == 24U) {
            CHECK(frame.find("w49") != std::string::npos);
            CHECK(frame.find("more\n") != std::string::npos);
            CHECK(frame.find("t0") != std::string::npos);
        }
    }
}
