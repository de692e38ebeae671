#include "net/wire/commands.hpp"

#include "core/store/topics.hpp"

#include <catch2/catch.hpp>

namespace coordination::wire {
namespace {

constexpr Bounds bounds{.id_bytes_max = 256, .json_depth_max = 16};

Fields fields(std::string_view call)
{
    return fields_of(call, bounds.json_depth_max).value();
}

} // namespace

TEST_CASE("a registration needs its workerId alone", "[wire]")
{
    const auto bare = register_worker(fields(R"({"workerId":"w1"})"), bounds).value();
    CHECK(bare.id.view() == "w1");
    CHECK(bare.capabilities.empty());
    CHECK_FALSE(bare.subscription);
    CHECK(register_worker(fields("{}"), bounds).error().message == "workerId is required");
}

TEST_CASE("metadata.subscriptions counts as a subscribe", "[wire]")
{
    const auto command =
        register_worker(fields(R"({"workerId":"w1","metadata":{"subscriptions":["tasks:set"],"a":1}})"),
                        bounds)
            .value();
    REQUIRE(command.subscription);
    CHECK(command.subscription->topics == topic_bit(Collection::tasks, Operation::set));
    CHECK(command.metadata.view() == R"({"subscriptions":["tasks:set"],"a":1})");

    const auto wrong =
        register_worker(fields(R"({"workerId":"w1","metadata":{"subscriptions":["nope"]}})"), bounds);
    CHECK(wrong.error().code == ErrorCode::invalid_field);
    CHECK(register_worker(fields(R"({"workerId":"w1","metadata":[]})"), bounds).error().message ==
          "metadata must be an object");
}

TEST_CASE("an end carries its result or its error, and what names the lease", "[wire]")
{
    const auto done =
        complete_task(
            fields(R"({"taskId":"t1","result":{"n":1},"error":"x","attempt":2,"fence":77,"workerId":"w1"})"),
            bounds)
            .value();
    CHECK(done.completed);
    CHECK(done.outcome.view() == R"({"n":1})");
    CHECK(done.claim.attempt == 2U);
    CHECK(done.claim.fence == 77U);
    CHECK(done.claim.worker == WorkerId("w1"));

    const auto failed = fail_task(fields(R"({"taskId":"t1","error":null,"workerId":""})"), bounds).value();
    CHECK_FALSE(failed.completed);
    CHECK(failed.outcome.view() == "null");
    CHECK_FALSE(failed.claim.worker);
    CHECK(fail_task(fields(R"({"taskId":"t1","attempt":"1"})"), bounds).error().code ==
          ErrorCode::invalid_field);
}

TEST_CASE("a task_update reports progress or ends the task", "[wire]")
{
    const auto update = [](std::string_view call) { return update_task(fields(call), bounds); };
    const auto progress = update(R"({"taskId":"t1","progress":50})").value();
    CHECK(std::get<UpdateTask>(progress).progress.view() == "50");
    CHECK(std::holds_alternative<UpdateTask>(update(R"({"taskId":"t1","status":"in_progress"})").value()));
    CHECK(
        std::get<FinishTask>(update(R"({"taskId":"t1","status":"completed","result":1})").value()).completed);
    CHECK_FALSE(std::get<FinishTask>(update(R"({"taskId":"t1","status":"failed"})").value()).completed);

    CHECK(update(R"({"taskId":"t1"})").error().message == "status is required");
    for (const auto* status : {"\"pending\"", "\"assigned\"", "\"\"", "1", "{}"}) {
        INFO(status);
        const auto refused = update(std::string(R"({"taskId":"t1","status":)") + status + "}");
        CHECK(refused.error().message == "status must be in_progress, completed, failed or cancelled");
    }
    CHECK(update(R"({"taskId":"t1","status":"completed","progress":101})").error().message ==
          "progress must be a number from 0 to 100");
}

TEST_CASE("an assignment without a worker, or with an empty or null one, asks for the best", "[wire]")
{
    for (const auto* call :
         {R"({"taskId":"t1"})", R"({"taskId":"t1","workerId":null})", R"({"taskId":"t1","workerId":""})"})
        CHECK_FALSE(assign_task(fields(call), bounds).value().worker);
    CHECK(assign_task(fields(R"({"taskId":"t1","workerId":"w1"})"), bounds).value().worker == WorkerId("w1"));
    CHECK(assign_task(fields(R"({"taskId":"t1","workerId":5})"), bounds).error().code ==
          ErrorCode::invalid_field);
}

} // namespace coordination::wire
