#pragma once

#include "support/daemon_process.hpp"
#include "support/http_peer.hpp"
#include "support/ws_peer.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace coordination::testing {

/// What most tests do over HTTP on the way to their point. Arguments that are JSON are given as text. Each
/// call throws, showing the answer, unless the daemon agreed; to look at a refusal, use `http`.
class Api {
public:
    explicit Api(const DaemonProcess& daemon) : http(daemon.http_port()) {}

    HttpReply get(std::string_view target);
    HttpReply post(std::string_view target, std::string_view body);

    Json register_worker(std::string_view id, std::string_view capabilities = "[]");
    Json unregister(std::string_view id);
    Json assign(std::string_view task, std::string_view worker = "", std::string_view data = "{}");
    Json complete(std::string_view task, std::string_view more = "");
    Json fail(std::string_view task, std::string_view more = "");

    Json task(std::string_view id) { return get("/api/tasks/" + std::string(id)).json(); }
    Json worker(std::string_view id) { return get("/api/workers/" + std::string(id)).json(); }
    Json state() { return get("/api/state").json(); }
    std::int64_t revision() { return integer(state(), "metadata.revision"); }

    /// Sends heartbeats until the daemon's clock shows another millisecond, so that what follows is later.
    void next_millisecond(std::string_view worker);

    HttpPeer http;
};

/// A worker on a WebSocket, registered. `registered` is what it was told.
class Worker : public WsPeer {
public:
    Worker(const DaemonProcess& daemon, std::string_view id, std::string_view capabilities = "[]",
           std::string_view metadata = "{}");

    Message registered;
};

/// A socket that follows what changes, values included.
class Watcher : public WsPeer {
public:
    explicit Watcher(const DaemonProcess& daemon, std::string_view topics = R"(["*"])");

    /// The next change, which must be a state_change: the `change` of it.
    Json next_change();

    /// All changes up to and including the one of this revision.
    std::vector<Json> changes_until(std::int64_t revision);

    /// Passes over changes until one satisfies the condition, and returns it.
    Json await(const std::function<bool(const Json& change)>& condition);

    /// Passes over changes until the task has this status, and returns the whole task.
    Json await_task(std::string_view id, std::string_view status);
    Json await_worker(std::string_view id, std::string_view status);

private:
    Json await_status(std::string_view collection, std::string_view id, std::string_view status);
};

/// Keeps a worker alive from a thread of its own, so that a test can wait for another one to fall silent.
class Heartbeats {
public:
    Heartbeats(const DaemonProcess& daemon, std::string worker, std::chrono::milliseconds interval);
    ~Heartbeats();

private:
    void run(std::uint16_t port, const std::string& worker, std::chrono::milliseconds interval);

    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopped_ = false;
    std::thread thread_;
};

/// "collection:operation:key" of a change.
std::string summary(const Json& change);

} // namespace coordination::testing
