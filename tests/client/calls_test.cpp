#include "client/probe.hpp"
#include "ctl/fake_daemon.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;
namespace json = boost::json;

namespace {

struct Fixture {
    FakeDaemon daemon;
    Probe client;

    explicit Fixture(CoordinationClientOptions options = Probe::options(0))
        : client([&] {
              options.ws_url = "ws://127.0.0.1:" + std::to_string(daemon.ws_port());
              return options;
          }())
    {
        auto connecting = client->connect(use_future);
        daemon.accept();
        daemon.register_worker();
        success(std::move(connecting));
    }

    AssignedTask given(std::string_view id)
    {
        daemon.assign(id, 1, 10);
        daemon.expect_and_agree("task_update");
        return client.await_task(id);
    }
};

} // namespace

SCENARIO("an ending that was not confirmed is reported over the next connection, the same and once",
         "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1");
    auto ended = peer.client->complete_task(task, json::object{{"n", 1}}, use_future);
    const auto first = peer.daemon.expect("task_update");
    peer.daemon.accept(); // it was taken, but the answer was lost, and the task is held no more
    peer.daemon.register_worker();
    auto again = peer.daemon.expect("task_update");
    CHECK(again == first);
    CHECK(waits(ended));
    peer.daemon.send({{"type", "response"},
                      {"requestId", field(again, "requestId")},
                      {"success", true},
                      {"duplicate", true},
                      {"task", {{"id", "t1"}, {"status", "completed"}}}});
    CHECK(success(std::move(ended)).contains("duplicate"));
    CHECK(peer.client->get_metrics().tasks_completed == 1);
    CHECK_FALSE(task.stop.stop_requested());

    peer.daemon.accept();
    peer.daemon.register_worker();
    peer.given("t2"); // the next word after this registration: the ending is not sent a third time
}

SCENARIO("an ending that lost its lease meanwhile is refused as such", "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1");
    auto ended = peer.client->complete_task(task, nullptr, use_future);
    peer.daemon.refuse(peer.daemon.expect("task_update"), "STALE_ATTEMPT");
    const auto refused = failure(std::move(ended));
    CHECK(refused.kind == CallErrorKind::lease_lost);
    CHECK(refused.code == "STALE_ATTEMPT");
}

SCENARIO("an ending that the daemon cannot take now is reported again with the next heartbeat", "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1");
    auto ended = peer.client->complete_task(task, nullptr, use_future);
    peer.daemon.refuse(peer.daemon.expect("task_update"), "STORAGE_FAILED");
    CHECK(text(peer.daemon.expect_and_agree("task_update"), "status") == "completed");
    success(std::move(ended));
}

SCENARIO("an ending that says what the daemon does not understand leaves the task held", "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1");
    auto odd = peer.client->complete_task(task, json::array{1}, use_future);
    peer.daemon.refuse(peer.daemon.expect("task_update"), "INVALID_FIELD");
    CHECK(failure(std::move(odd)).code == "INVALID_FIELD");
    CHECK_FALSE(task.stop.stop_requested());
    auto ended = peer.client->complete_task(task, "fine", use_future);
    peer.daemon.expect_and_agree("task_update");
    success(std::move(ended));
}

SCENARIO("what is said without a connection is sent once there is one, in order, the last progress alone",
         "[client]")
{
    Fixture peer;
    const auto task = peer.given("t1");
    peer.daemon.drop();
    peer.client.await("disconnected");
    std::vector<std::future<Answer>> calls;
    for (const int progress : {10, 20, 30})
        calls.push_back(peer.client->update_progress(task, progress, use_future));
    calls.push_back(peer.client->publish({.topic = "one"}, use_future));
    calls.push_back(peer.client->publish({.topic = "two"}, use_future));
    calls.push_back(peer.client->complete_task(task, nullptr, use_future));
    peer.daemon.accept();
    peer.daemon.register_worker({"t1"});
    CHECK(field(peer.daemon.expect_and_agree("task_update"), "progress") == 30);
    CHECK(text(peer.daemon.expect_and_agree("publish"), "topic") == "one");
    CHECK(text(peer.daemon.expect_and_agree("publish"), "topic") == "two");
    CHECK(text(peer.daemon.expect_and_agree("task_update"), "status") == "completed");
    for (auto& call : calls)
        success(std::move(call));
}

SCENARIO("what may be sent twice is, what may not is answered with lost", "[client]")
{
    Fixture peer;
    auto at_most =
        peer.client->publish({.topic = "a", .guarantee = DeliveryGuarantee::at_most_once}, use_future);
    peer.daemon.expect("publish");
    auto at_least = peer.client->publish({.topic = "b"}, use_future);
    const auto first = peer.daemon.expect("publish");
    peer.daemon.accept();
    peer.daemon.register_worker();
    CHECK(failure(std::move(at_most)).kind == CallErrorKind::lost);
    const auto again = peer.daemon.expect_and_agree("publish");
    CHECK(again == first); // its messageId too, by which the bus knows it again
    success(std::move(at_least));
}

SCENARIO("calls beyond the bounds are refused, and nothing of them is taken", "[client]")
{
    auto options = Probe::options(0);
    SECTION("of their number")
    {
        options.unsent_count_max = 2;
    }
    SECTION("of their bytes")
    {
        options.unsent_bytes_max = 420; // two that are published, and no ending beside them
    }
    Fixture peer(options);
    const auto task = peer.given("t1");
    peer.daemon.drop();
    peer.client.await("disconnected");
    auto one = peer.client->publish({.topic = "one"}, use_future);
    auto two = peer.client->publish({.topic = "two"}, use_future);
    const auto refused = failure(peer.client->publish({.topic = "three"}, use_future));
    CHECK(refused.kind == CallErrorKind::queue_full);
    CHECK(failure(peer.client->complete_task(task, nullptr, use_future)).kind == CallErrorKind::queue_full);
    CHECK(peer.client->get_metrics().calls_waiting == 2);
    peer.daemon.accept();
    peer.daemon.register_worker({"t1"});
    peer.daemon.expect_and_agree("publish");
    peer.daemon.expect_and_agree("publish");
    success(std::move(one));
    success(std::move(two));
    auto ended = peer.client->complete_task(task, nullptr, use_future); // still ours to end
    peer.daemon.expect_and_agree("task_update");
    success(std::move(ended));
}

SCENARIO("of progress that nobody can be told the last is kept, and no more calls wait for it than may",
         "[client]")
{
    auto options = Probe::options(0);
    options.unsent_count_max = 3;
    options.message_bytes_max = 1'000;
    Fixture peer(options);
    const auto task = peer.given("t1");
    peer.daemon.drop();
    peer.client.await("disconnected");
    std::vector<std::future<Answer>> calls;
    for (const int progress : {10, 20, 30, 40, 50})
        calls.push_back(peer.client->update_progress(task, progress, use_future));
    const json::object large{{"note", json::string(1'000, 'x')}};
    CHECK(failure(peer.client->update_task(task, "in_progress", large, use_future)).kind ==
          CallErrorKind::too_large);
    CHECK(failure(std::move(calls.at(0))).kind == CallErrorKind::queue_full);
    CHECK(failure(std::move(calls.at(1))).kind == CallErrorKind::queue_full);
    CHECK(peer.client->get_metrics().calls_waiting == 3);
    CHECK(failure(peer.client->publish({.topic = "a"}, use_future)).kind == CallErrorKind::queue_full);
    peer.daemon.accept();
    peer.daemon.register_worker({"t1"});
    CHECK(field(peer.daemon.expect_and_agree("task_update"), "progress") == 50);
    for (std::size_t waiting = 2; waiting < calls.size(); ++waiting)
        success(std::move(calls.at(waiting)));
}

SCENARIO("a message that is larger than one may be is refused here", "[client]")
{
    auto options = Probe::options(0);
    options.message_bytes_max = 1'000;
    Fixture peer(options);
    auto publishing = peer.client->publish({.topic = "a", .payload = json::string(1'000, 'x')}, use_future);
    CHECK(failure(std::move(publishing)).kind == CallErrorKind::too_large);
}

SCENARIO("a refusal is an error with the daemon's code and words", "[client]")
{
    Fixture peer;
    auto call = peer.client->call({{"type", "get_worker"}, {"workerId", "x"}}, use_future);
    peer.daemon.refuse(peer.daemon.expect("get_worker"), "WORKER_NOT_FOUND");
    const auto refused = failure(std::move(call));
    CHECK(refused.kind == CallErrorKind::refused);
    CHECK(refused.code == "WORKER_NOT_FOUND");
    CHECK(refused.message == "It is refused");
}

SCENARIO("options that cannot be are refused by connect, which names them", "[client]")
{
    CoordinationClientOptions options;
    std::string named;
    SECTION("a URL of another kind")
    {
        options.ws_url = "http://localhost:9501";
        named = "ws_url";
    }
    SECTION("no URL")
    {
        options.http_url = "localhost";
        named = "http_url";
    }
    SECTION("no time at all")
    {
        options.heartbeat_interval = std::chrono::milliseconds{0};
        named = "heartbeat_interval";
    }
    ClientThread client(options);
    const auto refused = failure(client->connect(use_future));
    CHECK(refused.kind == CallErrorKind::invalid);
    CHECK(refused.message.starts_with(named));
    CHECK(failure(client->get_state(use_future)).kind == CallErrorKind::invalid);
}
