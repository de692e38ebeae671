#include "support/api.hpp"

#include <catch2/catch.hpp>

using namespace coordination::testing;

namespace {

struct Refusal {
    std::string target;
    std::string body;
    std::string expected;
};

/// The status and the code; for failures whose wording is free.
std::string status_and_code(const HttpReply& reply)
{
    const auto whole = outcome(reply);
    return whole.substr(0, whole.find(' ', whole.find(' ') + 1));
}

} // namespace

SCENARIO("every reply is JSON", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    for (const auto* target : {"/health", "/api/state", "/api/metrics", "/api/workers", "/api/workers/w1",
                               "/api/tasks", "/api/tasks/t1", "/api/tasks/none", "/nowhere"}) {
        INFO(target);
        const auto reply = api.http.get(target);
        CHECK_THAT(reply.header("content-type").value_or(""), Catch::StartsWith("application/json"));
        CHECK(reply.json().is_object());
    }
}

SCENARIO("a required id that is missing is named, with status 400", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto& [target, body, expected] : std::vector<Refusal>{
             {"/api/workers/register", R"({"capabilities":[]})", "400 MISSING_FIELD workerId is required"},
             {"/api/workers/register", R"({"workerId":""})", "400 MISSING_FIELD workerId is required"},
             {"/api/workers/unregister", "{}", "400 MISSING_FIELD workerId is required"},
             {"/api/workers/heartbeat", "{}", "400 MISSING_FIELD workerId is required"},
             {"/api/tasks/assign", R"({"workerId":"w1"})", "400 MISSING_FIELD taskId is required"},
             {"/api/tasks/assign", R"({"taskId":""})", "400 MISSING_FIELD taskId is required"},
             {"/api/tasks/complete", R"({"result":1})", "400 MISSING_FIELD taskId is required"},
             {"/api/tasks/fail", "{}", "400 MISSING_FIELD taskId is required"},
         }) {
        INFO(target << " " << body);
        CHECK(outcome(api.http.post(target, body)) == expected);
    }
}

SCENARIO("what is unknown is 404 with a code of its own", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto& [target, body, expected] : std::vector<Refusal>{
             {"/api/workers/unregister", R"({"workerId":"no"})", "404 WORKER_NOT_FOUND Worker not found"},
             {"/api/workers/heartbeat", R"({"workerId":"no"})", "404 WORKER_NOT_FOUND Worker not found"},
             {"/api/tasks/assign", R"({"taskId":"t","workerId":"no"})",
              "404 WORKER_NOT_FOUND Worker not found"},
             {"/api/tasks/complete", R"({"taskId":"no"})", "404 TASK_NOT_FOUND Task not found"},
             {"/api/tasks/fail", R"({"taskId":"no"})", "404 TASK_NOT_FOUND Task not found"},
         }) {
        INFO(target << " " << body);
        CHECK(outcome(api.http.post(target, body)) == expected);
    }
    CHECK(outcome(api.http.get("/api/workers/no")) == "404 WORKER_NOT_FOUND Worker not found");
    CHECK(outcome(api.http.get("/api/tasks/no")) == "404 TASK_NOT_FOUND Task not found");
}

SCENARIO("a known field of a wrong type is INVALID_FIELD and named", "[http]")
{
    struct Wrong {
        std::string target;
        std::string body;
        std::string field;
    };
    const auto [target, body, field] = GENERATE(values<Wrong>({
        {"/api/workers/register", R"({"workerId":7})", "workerId"},
        {"/api/workers/register", R"({"workerId":["w"]})", "workerId"},
        {"/api/workers/register", R"({"workerId":"w","capabilities":"development"})", "capabilities"},
        {"/api/workers/register", R"({"workerId":"w","capabilities":["a",1]})", "capabilities"},
        {"/api/workers/register", R"({"workerId":"w","metadata":"x"})", "metadata"},
        {"/api/workers/register", R"({"workerId":"w","metadata":{"subscriptions":"x"}})", "subscriptions"},
        {"/api/workers/unregister", R"({"workerId":true})", "workerId"},
        {"/api/workers/heartbeat", R"({"workerId":{}})", "workerId"},
        {"/api/tasks/assign", R"({"taskId":12})", "taskId"},
        {"/api/tasks/assign", R"({"taskId":"t","workerId":1})", "workerId"},
        {"/api/tasks/assign", R"({"taskId":"t","taskData":"text"})", "taskData"},
        {"/api/tasks/assign", R"({"taskId":"t","taskData":[]})", "taskData"},
        {"/api/tasks/assign", R"({"taskId":"t","taskData":{"capabilities":"a"}})", "capabilities"},
        {"/api/tasks/assign", R"({"taskId":"t","capabilities":[null]})", "capabilities"},
        {"/api/tasks/assign", R"({"taskId":"t","priority":"urgent"})", "priority"},
        {"/api/tasks/assign", R"({"taskId":"t","priority":0})", "priority"},
        {"/api/tasks/assign", R"({"taskId":"t","taskData":{"priority":"CRITICAL"}})", "priority"},
        {"/api/tasks/complete", R"({"taskId":3})", "taskId"},
        {"/api/tasks/complete", R"({"taskId":"known","attempt":"1"})", "attempt"},
        {"/api/tasks/complete", R"({"taskId":"known","fence":true})", "fence"},
        {"/api/tasks/complete", R"({"taskId":"known","workerId":1})", "workerId"},
        {"/api/tasks/fail", R"({"taskId":"known","attempt":1.5})", "attempt"},
    }));
    INFO(target << " " << body);
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("known");
    const auto before = api.get("/api/state").body;
    const auto reply = api.http.post(target, body);
    CHECK(status_and_code(reply) == "400 INVALID_FIELD");
    CHECK_THAT(text(reply.json(), "error"), Catch::Contains(field));
    CHECK(api.get("/api/state").body == before);
}

SCENARIO("a body that is no JSON is INVALID_JSON", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto* body :
         {"{", "nonsense", R"({"taskId":"t",})", R"({"taskId":"t"} trailing)", R"({'taskId':'t'})",
          "{\"taskId\":\"\xff\xfe\"}", "{\"taskId\":\"a\nb\"}", R"({"taskId":"\ud800"})"}) {
        INFO(body);
        CHECK(status_and_code(api.http.post("/api/tasks/assign", body)) == "400 INVALID_JSON");
    }
    for (const auto* body : {"[]", "null", "7", "\"t\""}) { // JSON, but no call
        INFO(body);
        CHECK(outcome(api.http.post("/api/tasks/assign", body)).starts_with("400 INVALID_"));
    }
    CHECK(api.http.post("/api/tasks/assign", "").status == 400);
}

SCENARIO("an id without end is INVALID_FIELD", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const std::string id(10'000, 'x');
    const auto worker = api.http.post("/api/workers/register", R"({"workerId":")" + id + "\"}");
    CHECK(status_and_code(worker) == "400 INVALID_FIELD");
    CHECK_THAT(text(worker.json(), "error"), Catch::Contains("workerId"));
    api.register_worker("w1");
    const auto task = api.http.post("/api/tasks/assign", R"({"taskId":")" + id + "\"}");
    CHECK(status_and_code(task) == "400 INVALID_FIELD");
    CHECK_THAT(text(task.json(), "error"), Catch::Contains("taskId"));
}

SCENARIO("JSON nested without end is refused and costs nothing", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto reply =
        api.http.post("/api/tasks/assign", R"({"taskId":"t","taskData":{"a":)" + std::string(100'000, '['));
    CHECK(reply.status == 400);
    CHECK(api.get("/health")["status"] == "healthy");
}

SCENARIO("an unknown route is NOT_FOUND", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    for (const auto* target : {"/nowhere", "/api", "/api/nothing", "/api/tasks/t/u/v", "/healthy", "//"}) {
        INFO(target);
        CHECK(status_and_code(api.http.get(target)) == "404 NOT_FOUND");
    }
    CHECK(status_and_code(api.http.post("/api/nothing", "{}")) == "404 NOT_FOUND");
}

SCENARIO("a method that a route does not have is 405 and says which it has", "[http]")
{
    struct Case {
        std::string method;
        std::string target;
        std::string allowed;
    };
    DaemonProcess daemon;
    HttpPeer http(daemon.http_port());
    for (const auto& [method, target, allowed] : std::vector<Case>{
             {"POST", "/health", "GET"},
             {"DELETE", "/health", "GET"},
             {"PUT", "/api/state", "GET"},
             {"POST", "/api/metrics", "GET"},
             {"POST", "/metrics", "GET"},
             {"PATCH", "/api/workers", "GET"},
             {"DELETE", "/api/workers/w1", "GET"},
             {"POST", "/api/tasks", "GET"},
             {"PUT", "/api/tasks/t1", "GET"},
             {"PUT", "/api/workers/register", "POST"},
             {"DELETE", "/api/tasks/assign", "POST"},
             {"PUT", "/api/tasks/complete", "POST"},
             {"PATCH", "/api/tasks/fail", "POST"},
             {"GET", "/api/snapshot", "POST"},
         }) {
        INFO(method << " " << target);
        const auto reply = http.request(method, target);
        CHECK(status_and_code(reply) == "405 METHOD_NOT_ALLOWED");
        CHECK_THAT(reply.header("allow").value_or(""), Catch::Contains(allowed));
    }
}

SCENARIO("HEAD answers as GET does, without the body", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    for (const auto* target :
         {"/health", "/api/state", "/api/workers", "/api/workers/w1", "/api/tasks", "/metrics"}) {
        INFO(target);
        const auto head = api.http.request("HEAD", target);
        CHECK(head.status == 200);
        // The connection is in step: what follows is the next answer, not a body.
        const auto get = api.http.get(target);
        CHECK(get.status == 200);
        CHECK(head.header("content-type") == get.header("content-type"));
    }
    CHECK(api.http.request("HEAD", "/api/workers/none").status == 404);
    CHECK(api.http.request("HEAD", "/nowhere").status == 404);
}

SCENARIO("a body of another media type is 415", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const std::string body = R"({"workerId":"w1"})";
    const auto as = [&](const std::string& type) {
        return api.http.post("/api/workers/register", body, {{"Content-Type", type}});
    };
    CHECK(status_and_code(as("text/plain")) == "415 UNSUPPORTED_MEDIA_TYPE");
    CHECK(status_and_code(as("application/x-www-form-urlencoded")) == "415 UNSUPPORTED_MEDIA_TYPE");
    CHECK(status_and_code(as("application/jsonx")) == "415 UNSUPPORTED_MEDIA_TYPE");
    CHECK(as("application/json; charset=utf-8").status == 200);
    CHECK(as("Application/JSON").status == 200);
}

SCENARIO("a body over the limit is 413, announced or not", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    WHEN("Content-Length announces it")
    {
        api.http.send("POST /api/tasks/assign HTTP/1.1\r\nHost: " + api.http.host() +
                      "\r\nContent-Type: application/json\r\nContent-Length: 1099511627776\r\n\r\n");
        CHECK(status_and_code(api.http.read()) == "413 PAYLOAD_TOO_LARGE");
    }
    WHEN("it comes in chunks that do not end")
    {
        api.http.send("POST /api/tasks/assign HTTP/1.1\r\nHost: " + api.http.host() +
                      "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        const auto chunk = "100000\r\n" + std::string(0x100000, ' ') + "\r\n";
        int chunks = 0;
        while (chunks < 1024 && api.http.connection().write_until_answered(chunk))
            ++chunks;
        CHECK(chunks < 1024);
        CHECK(status_and_code(api.http.read()) == "413 PAYLOAD_TOO_LARGE");
    }
    CHECK(Api(daemon).get("/health")["status"] == "healthy");
}

SCENARIO("a head over the limit is refused", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto line = "X-Filler: " + std::string(8000, 'x') + "\r\n";
    bool unanswered = api.http.connection().write_until_answered(
        "GET /health HTTP/1.1\r\nHost: " + api.http.host() + "\r\n");
    for (int i = 0; i < 10'000 && unanswered; ++i)
        unanswered = api.http.connection().write_until_answered(line);
    CHECK_FALSE(unanswered);
    CHECK(outcome(api.http.read()).starts_with("4"));
    CHECK(Api(daemon).get("/health")["status"] == "healthy");
}

SCENARIO("a health check tells status, uptime and version", "[http]")
{
    DaemonProcess daemon;
    Api api(daemon);
    const auto health = api.get("/health").json();
    CHECK(field(health, "status") == "healthy");
    const auto uptime = integer(health, "uptime");
    CHECK(uptime < 60'000); // milliseconds since this start
    const Deadline deadline;
    while (integer(api.get("/health").json(), "uptime") <= uptime) // it grows
        REQUIRE_FALSE(deadline.passed());
    CHECK_FALSE(text(health, "version").empty());
}
