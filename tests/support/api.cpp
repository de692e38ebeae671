#include "support/api.hpp"

#include <stdexcept>

namespace coordination::testing {

namespace {

std::string json_string(std::string_view text)
{
    return boost::json::serialize(Json(text));
}

HttpReply agreed(HttpReply reply, std::string_view target)
{
    if (reply.status != 200)
        throw std::runtime_error(std::string(target) + " was answered " + std::to_string(reply.status) + " " +
                                 reply.body.substr(0, 2000));
    return reply;
}

std::string ending(std::string_view task, std::string_view more)
{
    return "{\"taskId\":" + json_string(task) + (more.empty() ? "" : ",") + std::string(more) + "}";
}

} // namespace

HttpReply Api::get(std::string_view target)
{
    return agreed(http.get(target), target);
}

HttpReply Api::post(std::string_view target, std::string_view body)
{
    return agreed(http.post(target, body), std::string(target) + " " + std::string(body));
}

Json Api::register_worker(std::string_view id, std::string_view capabilities)
{
    return post("/api/workers/register",
                "{\"workerId\":" + json_string(id) + ",\"capabilities\":" + std::string(capabilities) + "}")
        .json();
}

Json Api::unregister(std::string_view id)
{
    return post("/api/workers/unregister", "{\"workerId\":" + json_string(id) + "}").json();
}

Json Api::assign(std::string_view task, std::string_view worker, std::string_view data)
{
    const auto named = worker.empty() ? "" : ",\"workerId\":" + json_string(worker);
    return post("/api/tasks/assign",
                "{\"taskId\":" + json_string(task) + named + ",\"taskData\":" + std::string(data) + "}")
        .json();
}

Json Api::complete(std::string_view task, std::string_view more)
{
    return post("/api/tasks/complete", ending(task, more)).json();
}

Json Api::fail(std::string_view task, std::string_view more)
{
    return post("/api/tasks/fail", ending(task, more)).json();
}

void Api::next_millisecond(std::string_view worker)
{
    const auto body = "{\"workerId\":" + json_string(worker) + "}";
    const auto now = [&] { return integer(post("/api/workers/heartbeat", body).json(), "timestamp"); };
    const auto before = now();
    while (now() == before)
        ;
}

Worker::Worker(const DaemonProcess& daemon, std::string_view id, std::string_view capabilities,
               std::string_view metadata)
    : WsPeer(daemon.ws_port())
{
    send("{\"type\":\"register\",\"workerId\":" + json_string(id) +
         ",\"capabilities\":" + std::string(capabilities) + ",\"metadata\":" + std::string(metadata) + "}");
    registered = expect("registered");
}

Watcher::Watcher(const DaemonProcess& daemon, std::string_view topics) : WsPeer(daemon.ws_port())
{
    const auto reply =
        call("{\"type\":\"subscribe\",\"values\":true,\"topics\":" + std::string(topics) + "}");
    if (reply["success"] != Json(true))
        throw std::runtime_error("the subscription was refused: " + reply.raw);
}

Json Watcher::next_change()
{
    return expect("state_change")["change"];
}

std::vector<Json> Watcher::changes_until(std::int64_t revision)
{
    std::vector<Json> changes;
    do
        changes.push_back(next_change());
    while (integer(changes.back(), "revision") < revision);
    return changes;
}

Json Watcher::await(const std::function<bool(const Json& change)>& condition)
{
    const Deadline deadline; // there may be others to pass over for ever
    while (!deadline.passed()) {
        auto change = next_change();
        if (condition(change))
            return change;
    }
    throw std::runtime_error("the change that was waited for did not come");
}

Json Watcher::await_task(std::string_view id, std::string_view status)
{
    return await_status("tasks", id, status);
}

Json Watcher::await_worker(std::string_view id, std::string_view status)
{
    return await_status("workers", id, status);
}

Json Watcher::await_status(std::string_view collection, std::string_view id, std::string_view status)
{
    const auto change = await([&](const Json& c) {
        return text(c, "collection") == collection && text(c, "key") == id && has(c, "value.status") &&
               text(c, "value.status") == status;
    });
    return field(change, "value");
}

Heartbeats::Heartbeats(const DaemonProcess& daemon, std::string worker, std::chrono::milliseconds interval)
    : thread_([this, port = daemon.http_port(), worker = std::move(worker), interval] {
          run(port, worker, interval);
      })
{
}

Heartbeats::~Heartbeats()
{
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    stop_.notify_one();
    thread_.join();
}

void Heartbeats::run(std::uint16_t port, const std::string& worker, std::chrono::milliseconds interval)
try {
    HttpPeer http(port);
    std::unique_lock lock(mutex_);
    do
        http.post("/api/workers/heartbeat", "{\"workerId\":" + json_string(worker) + "}");
    while (!stop_.wait_for(lock, interval, [this] { return stopped_; }));
} catch (const std::exception&) {
    // The daemon is gone: the test's own calls will say so.
}

std::string summary(const Json& change)
{
    return text(change, "collection") + ":" + text(change, "operation") + ":" + text(change, "key");
}

} // namespace coordination::testing
