#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

// Each of these is lost by a parser that keeps doubles or sorts names.
constexpr std::string_view faithful =
    R"("zeta":1e400,"alpha":12345678901234567890,"one":1.0,"minus":-0,"small":1E-7,"nested":{"b":[1.50,{}],"a":null},"emoji":"😀 \u00e9 \/")";

} // namespace

SCENARIO("fields of taskData come back as they were written, in their order", "[payload]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Worker worker(daemon, "w1");
    const auto data = "{" + std::string(faithful) + "}";
    const auto reply = api.post("/api/tasks/assign", R"({"taskId":"t1","taskData":)" + data + "}");
    CHECK_THAT(reply.body, Catch::Contains(std::string(faithful)));
    CHECK_THAT(worker.expect("task_assigned").raw, Catch::Contains(std::string(faithful)));
    CHECK_THAT(watcher.expect("state_change").raw, Catch::Contains(std::string(faithful)));
    CHECK_THAT(api.get("/api/tasks/t1").body, Catch::Contains(std::string(faithful)));
    CHECK_THAT(api.get("/api/tasks").body, Catch::Contains(std::string(faithful)));
    CHECK_THAT(api.get("/api/state").body, Catch::Contains(std::string(faithful)));
    // An update later must not rebuild them.
    const auto done = api.post("/api/tasks/complete", R"({"taskId":"t1","result":)" + data + "}");
    CHECK(occurrences(done.body, faithful) == 2);
    CHECK(occurrences(api.get("/api/tasks/t1").body, faithful) == 2);
}

SCENARIO("result, error and a worker's metadata come back as they were written", "[payload]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto value = "{" + std::string(faithful) + "}";
    api.post("/api/workers/register", R"({"workerId":"w1","metadata":)" + value + "}");
    CHECK_THAT(api.get("/api/workers/w1").body, Catch::Contains(value));
    api.assign("t1");
    api.post("/api/tasks/fail", R"({"taskId":"t1","error":)" + value + "}");
    CHECK_THAT(api.get("/api/tasks/t1").body, Catch::Contains(value));
}

SCENARIO("names that the daemon owns win over the same names in taskData, and stand once", "[payload]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    const auto reply = api.post("/api/tasks/assign", R"({"taskId":"t1","taskData":{
        "id":"evil","status":"completed","assignedTo":"nobody","assignedAt":1,"lastUpdate":2,"progress":99,
        "result":"fake","error":"fake","completedAt":3,"failedAt":4,"attempt":77,"fence":88,"createdAt":5,
        "reassignedFrom":"x","reassignedAt":6,"title":"kept"}})");
    const auto task = field(reply.json(), "task");
    CHECK(field(task, "id") == "t1");
    CHECK(field(task, "status") == "assigned");
    CHECK(field(task, "assignedTo") == "w1");
    CHECK(field(task, "attempt") == 1);
    CHECK(integer(task, "assignedAt") > 1'600'000'000'000);
    CHECK(integer(task, "createdAt") > 1'600'000'000'000);
    CHECK(integer(task, "fence") != 88);
    CHECK(field(task, "title") == "kept");
    for (const auto* fake :
         {"\"fake\"", "\"evil\"", "\"nobody\"", "\"reassignedFrom\":\"x\"", ":77", ":99"}) {
        INFO(fake);
        CHECK(occurrences(reply.body, fake) == 0);
    }
    for (const auto* name : {"\"id\":", "\"status\":", "\"assignedTo\":", "\"attempt\":", "\"createdAt\":"}) {
        INFO(name);
        CHECK(occurrences(api.get("/api/tasks/t1").body, name) == 1);
    }
    CHECK(field(api.complete("t1", R"("result":"real")"), "task.result") == "real");
}

SCENARIO("ids may be any text, in bodies and percent-encoded in paths", "[payload]")
{
    struct Case {
        std::string json;
        std::string path;
    };
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto& [json, path] : std::vector<Case>{
             {"a/b", "a%2Fb"},
             {"a b?c#d&e=f+g", "a%20b%3Fc%23d%26e%3Df%2Bg"},
             {"100%", "100%25"},
             {"plus+plus", "plus+plus"}, // a plus in a path is a plus
             {"übung-日本-😀", "%C3%BCbung-%E6%97%A5%E6%9C%AC-%F0%9F%98%80"},
             {R"(quote\"back\\slash)", "quote%22back%5Cslash"},
             {R"(new\nline\u0000zero)", "new%0Aline%00zero"},
             {"..", "%2E%2E"},
             {"register", "register"},
         }) {
        INFO(json);
        const auto body = R"({"workerId":")" + json + R"("})";
        const auto id = field(parse(body), "workerId");
        CHECK(api.post("/api/workers/register", body)["worker.id"] == id);
        CHECK(api.post("/api/workers/heartbeat", body).status == 200);
        CHECK(api.post("/api/tasks/assign",
                       R"({"taskId":")" + json + R"(","workerId":")" + json + R"("})")["task.id"] == id);
        if (path != "register") { // there the route's own name goes first
            CHECK(api.get("/api/workers/" + path)["id"] == id);
            CHECK(api.get("/api/tasks/" + path)["assignedTo"] == id);
        }
        CHECK(api.post("/api/tasks/complete", R"({"taskId":")" + json + R"("})")["task.id"] == id);
        CHECK(api.post("/api/workers/unregister", body).status == 200);
    }
}

SCENARIO("two spellings of one id are one id", "[payload]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.post("/api/workers/register", R"({"workerId":"\u00fcbung"})");
    CHECK(api.post("/api/workers/heartbeat", R"({"workerId":"übung"})").status == 200);
    CHECK(api.get("/api/workers/%c3%bcbung")["id"] == "übung");
}

SCENARIO("a path that does not decode is refused", "[payload]")
{
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    for (const auto* path : {"/api/tasks/%zz", "/api/tasks/%4", "/api/tasks/%", "/api/tasks/%ff%fe"}) {
        INFO(path);
        const auto status = http.get(path).status;
        CHECK((status == 400 || status == 404));
    }
}
