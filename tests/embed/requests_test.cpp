#include "embed/embedded.hpp"

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
namespace asio = boost::asio;

namespace {

std::string refusal(const tl::expected<Done, Error>& reply)
{
    return reply ? "none" : reply.error().message;
}

asio::awaitable<std::string> awaits_an_assignment(Daemon* daemon)
{
    const auto assigned = co_await daemon->assign_task("awaited", std::nullopt, "{}");
    co_return assigned ? assigned->worker_id : assigned.error().message;
}

} // namespace

SCENARIO("assign_task tells who got the task, or why nobody did", "[embed]")
{
    auto options = quiet();
    options.max_tasks_per_worker = 1;
    Daemon daemon(options);
    must_start(daemon);
    must(daemon, request::RegisterWorker{.worker_id = "w1", .capabilities = {"development"}});

    WHEN("a worker can take it")
    {
        const auto assigned =
            assign(daemon, "t1", std::nullopt, R"({"title":"x","capabilities":["development"]})");
        THEN("the reply names it, and the lease")
        {
            REQUIRE(assigned);
            CHECK(assigned->task_id == "t1");
            CHECK(assigned->worker_id == "w1");
            CHECK(assigned->attempt == 1);
            CHECK(assigned->fence > 0);
            CHECK(assigned->revision >= assigned->fence);
            CHECK(assigned->durability == Durability::memory);
            const auto task = must(daemon, request::FindTask{"t1"});
            CHECK(task.status == TaskStatus::assigned);
            CHECK(task.json.find(R"("title":"x")") != std::string::npos);
            CHECK(must(daemon, request::FindWorker{"w1"}).active_tasks == 1);
        }
        THEN("the next one has nowhere to go")
        {
            CHECK(assign(daemon, "t2").error().code == ErrorCode::no_available_workers);
            CHECK(assign(daemon, "t2", "w1").error().code == ErrorCode::worker_at_capacity);
            CHECK(ask(daemon, request::FindTask{"t2"}).error().code == ErrorCode::task_not_found);
        }
        THEN("it cannot be assigned again")
        {
            CHECK(assign(daemon, "t1").error().code == ErrorCode::task_conflict);
        }
    }
    WHEN("the named worker is not there, is offline or cannot do it")
    {
        must(daemon, request::RegisterWorker{.worker_id = "w2"});
        must(daemon, request::DrainWorker{.worker_id = "w2"});
        THEN("that is the refusal")
        {
            CHECK(assign(daemon, "t1", "nobody").error().code == ErrorCode::worker_not_found);
            CHECK(assign(daemon, "t1", "w2").error().code == ErrorCode::worker_offline);
            CHECK(assign(daemon, "t1", "w1", R"({"capabilities":["gpu"]})").error().code ==
                  ErrorCode::capability_mismatch);
        }
    }
    WHEN("what is told is malformed")
    {
        THEN("the field is named, and nothing of it slips into another field")
        {
            CHECK(refusal(assign(daemon, "")) == "taskId is required");
            CHECK(refusal(assign(daemon, std::string(300, 'x'))).starts_with("taskId must be"));
            CHECK(refusal(assign(daemon, "t1", std::nullopt, "[1]")).starts_with("taskData must be"));
            CHECK(refusal(assign(daemon, "t1", std::nullopt, R"({},"taskId":"other")"))
                      .starts_with("taskData is not JSON"));
            CHECK(refusal(ask(daemon, request::AssignTask{.task_id = "t1", .fields = "1"})) ==
                  "fields must be a JSON object");
            CHECK(ask(daemon, request::FindTask{"t1"}).error().code == ErrorCode::task_not_found);
            CHECK(ask(daemon, request::FindTask{"other"}).error().code == ErrorCode::task_not_found);
        }
    }
    WHEN("it is called with a callback, and from a coroutine")
    {
        std::promise<std::string> called;
        daemon.assign_task("t1", std::nullopt, "{}", [&](const tl::expected<Done, Error>& assigned) {
            called.set_value(assigned ? assigned->worker_id : assigned.error().message);
        });
        THEN("both are answered, the coroutine on its own executor")
        {
            CHECK(wait(called.get_future()) == "w1");
            must(daemon, request::CompleteTask{.task_id = "t1"});
            asio::io_context io;
            auto awaited = asio::co_spawn(io, awaits_an_assignment(&daemon), asio::use_future);
            io.run();
            CHECK(wait(std::move(awaited)) == "w1");
        }
    }
}

SCENARIO("a daemon in the same process takes the calls of the HTTP API, by its rules", "[embed]")
{
    Daemon daemon(quiet());
    must_start(daemon);
    must(daemon, request::RegisterWorker{.worker_id = "w1", .metadata = R"({"zone":"a"})"});
    CHECK(must(daemon, request::FindWorker{"w1"}).json.find(R"("zone":"a")") != std::string::npos);

    WHEN("a task is submitted, worked on and completed")
    {
        must(daemon, request::SubmitTask{.task_id = "t1", .fields = R"({"priority":"high"})"});
        must(daemon, request::UpdateTask{.task_id = "t1", .progress = 50});
        CHECK(must(daemon, request::FindTask{"t1"}).status == TaskStatus::in_progress);
        const request::CompleteTask end{.task_id = "t1", .result = R"({"output":1})"};
        const auto first = must(daemon, end);
        THEN("it ends once")
        {
            CHECK_FALSE(first.duplicate);
            CHECK(must(daemon, end).duplicate);
            CHECK(ask(daemon, request::FailTask{.task_id = "t1"}).error().code == ErrorCode::task_conflict);
            const auto task = must(daemon, request::FindTask{"t1"});
            CHECK(task.status == TaskStatus::completed);
            CHECK(task.json.find(R"("result":{"output":1})") != std::string::npos);
            CHECK(task.json.find(R"("progress":50)") != std::string::npos);
        }
        THEN("it can be forgotten")
        {
            must(daemon, request::DeleteTask{"t1"});
            CHECK_FALSE(ask(daemon, request::FindTask{"t1"}));
        }
    }
    WHEN("a report names a lease that is not the live one")
    {
        const auto assigned = assign(daemon, "t1");
        REQUIRE(assigned);
        THEN("it is refused")
        {
            CHECK(ask(daemon, request::CompleteTask{.task_id = "t1", .lease = {.attempt = 2}}).error().code ==
                  ErrorCode::stale_attempt);
            CHECK(ask(daemon, request::FailTask{.task_id = "t1",
                                                .lease = {.worker_id = "w2", .fence = assigned->fence}})
                      .error()
                      .code == ErrorCode::stale_attempt);
            must(daemon, request::CompleteTask{.task_id = "t1", .lease = {.fence = assigned->fence}});
        }
    }
    WHEN("a failed task is retried, and a waiting one cancelled")
    {
        REQUIRE(assign(daemon, "t1"));
        must(daemon, request::FailTask{.task_id = "t1", .error = R"({"message":"broken"})"});
        must(daemon, request::RetryTask{"t1"});
        must(daemon, request::SubmitTask{.task_id = "t2", .fields = R"({"delayMs":60000})"});
        must(daemon, request::CancelTask{.task_id = "t2", .reason = "not needed"});
        THEN("the one is held again, the other is over")
        {
            CHECK(must(daemon, request::FindTask{"t1"}).attempt == 2);
            CHECK(must(daemon, request::FindTask{"t2"}).status == TaskStatus::cancelled);
        }
    }
    WHEN("the metrics are read")
    {
        REQUIRE(assign(daemon, "t1"));
        THEN("they are those of the HTTP API")
        {
            CHECK(must(daemon, request::ReadMetrics{}).find(R"("activeTasks":1)") != std::string::npos);
        }
    }
    WHEN("a worker is unregistered")
    {
        must(daemon, request::UnregisterWorker{"w1"});
        THEN("it is not known any more")
        {
            CHECK(ask(daemon, request::Heartbeat{"w1"}).error().code == ErrorCode::worker_not_found);
        }
    }
}

SCENARIO("a daemon that does not run says so to whoever calls it", "[embed]")
{
    Daemon daemon(quiet());
    CHECK(assign(daemon, "t1").error().code == ErrorCode::not_running);
    must_start(daemon);
    REQUIRE(stop(daemon));
    CHECK(assign(daemon, "t1").error().code == ErrorCode::not_running);
}

SCENARIO("every call that came before the stop is answered", "[embed]")
{
    auto options = quiet();
    options.threads = 2;
    Daemon daemon(options);
    must_start(daemon);
    std::vector<std::future<tl::expected<Done, Error>>> calls;
    for (int n = 0; n < 1000; ++n)
        calls.push_back(daemon.call(request::SubmitTask{"t" + std::to_string(n)}, asio::use_future));
    REQUIRE(stop(daemon));
    for (auto& call : calls)
        CHECK(wait(std::move(call)));
}
