#include "net/wire/errors.hpp"
#include "net/wire/fields.hpp"

#include <catch2/catch.hpp>

namespace coordination::wire {

TEST_CASE("the fields of a message are found by name, whatever stands between them", "[wire]")
{
    const auto fields = fields_of(
        " {\"taskId\" : \"t1\",\n\"unknown\":{\"taskId\":\"no\"}, \"\\u0077orkerId\":\"w\\n1\"} ", 8);
    REQUIRE(fields);
    CHECK(fields->task_id == "\"t1\"");
    CHECK(string_in(fields->worker_id, "workerId") == "w\n1");
    CHECK(fields->priority.empty());
}

TEST_CASE("of a name that is repeated the last counts, and null is absent", "[wire]")
{
    const auto fields =
        fields_of(R"({"taskId":"a","taskId":"b","workerId":"w","workerId":null,"result":null})", 8);
    REQUIRE(fields);
    CHECK(fields->task_id == "\"b\"");
    CHECK(fields->worker_id.empty());
    CHECK(fields->result == "null");
}

TEST_CASE("what is no JSON object is INVALID_JSON", "[wire]")
{
    for (const auto* text : {"", "{", "[]", "null", "{\"a\":1}x", "{'a':1}", "{\"a\":\"\xff\"}"}) {
        INFO(text);
        const auto fields = fields_of(text, 4);
        REQUIRE_FALSE(fields);
        CHECK(fields.error().code == ErrorCode::invalid_json);
    }
    CHECK(fields_of("{\"a\":[[[1]]]}", 4));
    CHECK(fields_of("{\"a\":[[[[1]]]]}", 4).error().code == ErrorCode::json_too_deep);
}

TEST_CASE("a field of a wrong type is refused by name", "[wire]")
{
    const Bounds bounds{.id_bytes_max = 4, .json_depth_max = 8};
    CHECK(id_in("", "taskId", bounds).error().message == "taskId is required");
    CHECK(id_in("\"\"", "taskId", bounds).error().message == "taskId is required");
    CHECK(id_in("\"abcd\"", "taskId", bounds) == "abcd");
    CHECK(id_in("\"abcde\"", "taskId", bounds).error().code == ErrorCode::id_too_long);
    CHECK(id_in("7", "taskId", bounds).error().message == "taskId must be a string");

    CHECK(natural_in("1", "fence", 1) == 1U);
    for (const auto* wrong : {"0", "-1", "1.5", "1e3", "\"1\"", "99999999999999999999"}) {
        INFO(wrong);
        CHECK_FALSE(natural_in(wrong, "fence", 1));
    }
    CHECK(strings_in("[ \"a\" , \"b\" ]", "capabilities") == std::vector<std::string>{"a", "b"});
    for (const auto* wrong : {"\"a\"", "{}", "[\"a\",1]", "[\"\"]", "[[\"a\"]]"}) {
        INFO(wrong);
        CHECK_FALSE(strings_in(wrong, "capabilities"));
    }
    for (const auto* right : {"0", "100", "50.5", "5e1"})
        CHECK(check_progress(right, "progress"));
    for (const auto* wrong : {"-1", "100.1", "\"50\"", "true", "1e999"}) {
        INFO(wrong);
        CHECK_FALSE(check_progress(wrong, "progress"));
    }
}

TEST_CASE("a failure has one shape over HTTP and one for each kind of message", "[wire]")
{
    const Error error{ErrorCode::revision_compacted, "say \"when\"", 7};
    CHECK(failure(error) ==
          R"({"success":false,"error":"say \"when\"","code":"REVISION_COMPACTED","oldest":7})");
    CHECK(
        failed_response("17", error) ==
        R"({"type":"response","requestId":17,"success":false,"error":"say \"when\"","code":"REVISION_COMPACTED","oldest":7})");
    CHECK(error_message({ErrorCode::task_not_found, "Task not found"}, {.task = "t1", .worker = {}}) ==
          R"({"type":"error","message":"Task not found","code":"TASK_NOT_FOUND","taskId":"t1"})");
}

} // namespace coordination::wire
