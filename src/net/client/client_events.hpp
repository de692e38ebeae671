#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "net/client/assigned_task.hpp"
#include "net/client/call_error.hpp"

namespace coordination {

/// The daemon has registered this worker.
struct Registration {
    std::string worker_id;
    std::string session_id;
    std::int64_t revision = 0;
    std::chrono::milliseconds heartbeat_interval{0}; ///< as the daemon wants it
    std::chrono::milliseconds heartbeat_timeout{0};  ///< silence after which the leases go to others
};

/// The next try to connect.
struct Reconnecting {
    unsigned attempt = 1; ///< since the connection was lost, or since connect()
    std::chrono::milliseconds wait{0};
};

struct StateChange {
    std::string collection; ///< workers, tasks or assignments
    std::string key;
    std::string operation; ///< set, update or delete
    std::int64_t revision = 0;
    boost::json::value value;   ///< the whole of it, where the subscription asked for values; else null
    std::int64_t timestamp = 0; ///< ms since 1970
};

/// With SubscribeOptions::coalesce, where this client read too slowly: of the changes with these revisions
/// only the newest of each key come, right after this.
struct StateGap {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t changes = 0;
    std::int64_t kept = 0;
};

struct ReceivedMessage {
    std::string id;
    std::string topic;
    boost::json::value payload;
    std::string sender;    ///< who published it, where that is known
    std::string priority;  ///< as its publisher wrote it: "high" or "1"
    std::string guarantee; ///< "at-most-once", …
    std::int64_t attempt = 1;
};

/// What a user of the client is told. Each is optional. See CoordinationClient for where they run.
struct ClientEvents {
    std::function<void(AssignedTask)> task_assigned;
    std::function<boost::asio::awaitable<TaskEnding>(AssignedTask)> serve_task; ///< instead of task_assigned
    std::function<void(AssignedTask, std::string reason)> task_cancelled;
    std::function<void(StateChange)> state_change;
    std::function<void(StateGap)> state_gap;
    std::function<void(ReceivedMessage)> message;
    std::function<boost::asio::awaitable<void>(ReceivedMessage)> serve_message; ///< instead of message
    std::function<void()> connected;
    std::function<void(CallError why)> disconnected;
    std::function<void(Reconnecting)> reconnecting;
    std::function<void()> reconnected;
    std::function<void(Registration)> registered;
    std::function<void(std::int64_t timestamp)> heartbeat_ack; ///< ms since 1970, by the daemon's clock
    std::function<void(CallError)> error;
};

} // namespace coordination
