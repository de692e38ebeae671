#include "net/wire/task_data.hpp"

#include <catch2/catch.hpp>

namespace coordination::wire {
namespace {

Read<std::optional<TaskData>> read(std::string_view call)
{
    return task_data_in(fields_of(call, 16).value());
}

std::string payload(std::string_view call)
{
    return std::string(read(call).value().value().payload.view());
}

} // namespace

TEST_CASE("a task's own fields stay the text that they were", "[wire]")
{
    CHECK(payload(R"({"taskData":{"title":"a\u00e9","n":1.50e2,"deep":{"b":[1, 2]},"x":null}})") ==
          R"("title":"a\u00e9","n":1.50e2,"deep":{"b":[1, 2]},"x":null)");
    CHECK(payload("{\"taskData\":{}}").empty());
}

TEST_CASE("line breaks between tokens become blanks, those in strings are escaped already", "[wire]")
{
    CHECK(payload("{\"taskData\":{\"a\":[1,\r\n2],\n\"b\":\"x\\ny\"}}") == "\"a\":[1,  2],\"b\":\"x\\ny\"");
}

TEST_CASE("names that the daemon owns are dropped, however they are written", "[wire]")
{
    CHECK(payload(R"({"taskData":{"id":"other","a":1,"\u0073tatus":"done","attempt":9,"b":2,"fence":1}})") ==
          R"("a":1,"b":2)");
}

TEST_CASE("capabilities and priority are read from taskData", "[wire]")
{
    const auto data = read(R"({"taskData":{"capabilities":["a","b"],"priority":"medium"}})").value().value();
    CHECK(data.capabilities == std::vector<std::string>{"a", "b"});
    CHECK(data.priority == Priority::normal);
    CHECK(data.payload.view() == R"("capabilities":["a","b"],"priority":"medium")");
}

TEST_CASE("beside taskId they win, and stand in the place of the others", "[wire]")
{
    const std::string call =
        R"({"capabilities":["top"],"priority":"critical","taskData":{"priority":"low","a":1,"capabilities":7}})";
    const auto data = read(call).value().value();
    CHECK(data.capabilities == std::vector<std::string>{"top"});
    CHECK(data.priority == Priority::critical);
    CHECK(data.payload.view() == R"("priority":"critical","a":1,"capabilities":["top"])");

    CHECK(payload(R"({"priority":"high","taskData":{"a":1}})") == R"("a":1,"priority":"high")");
    CHECK(payload(R"({"priority":"high"})") == R"("priority":"high")");
}

TEST_CASE("a call that tells nothing of the task has no data", "[wire]")
{
    CHECK_FALSE(read(R"({"taskId":"t1"})").value());
    CHECK_FALSE(read(R"({"taskId":"t1","taskData":null})").value());
}

TEST_CASE("data of a wrong type is INVALID_FIELD and names the field", "[wire]")
{
    const auto refused = [](std::string_view call) { return read(call).error().message; };
    CHECK(refused(R"({"taskData":[]})") == "taskData must be an object");
    CHECK(refused(R"({"taskData":{"capabilities":"a"}})") ==
          "capabilities must be an array of non-empty strings");
    CHECK(refused(R"({"taskData":{"priority":"urgent"}})") ==
          "priority must be critical, high, normal or low");
    CHECK(refused(R"({"priority":1})") == "priority must be critical, high, normal or low");
}

} // namespace coordination::wire
