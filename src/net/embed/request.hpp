#pragma once

#include "core/error.hpp"
#include "core/types.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace coordination {

/// What came of a request. Whoever awaited it knows that it is as durable as `durability` says.
struct Done {
    std::string task_id{};     ///< the task it was about, if any
    std::string worker_id{};   ///< the worker it was about or that was chosen, if any
    std::uint32_t attempt = 0; ///< of the task: the ordinal of its latest assignment
    Revision fence = 0;        ///< of the task: the revision at which that began
    std::string message_id{};  ///< of what was published
    bool duplicate = false;    ///< that had been said before: nothing was changed
    Revision revision = 0;     ///< of the last change that it made; of the state where it made none
    Durability durability = Durability::memory;
};

struct TaskView {
    std::string id;
    TaskStatus status;
    std::string worker_id; ///< the holder, or who held it when it ended; empty: nobody
    std::uint32_t attempt;
    Revision fence;
    std::string json; ///< all of it, as `GET /api/tasks/{id}` answers
};

struct WorkerView {
    std::string id;
    WorkerStatus status;
    std::uint32_t active_tasks;
    std::string json; ///< all of it, as `GET /api/workers/{id}` answers
};

/// What a program can ask of a daemon in the same process: the calls of the HTTP API, with the same rules and the
/// same refusals, which name the fields as the API does.
///
/// Text  Members that hold JSON say so; they are checked. An empty one is not told.
namespace request {

struct RegisterWorker {
    using Reply = Done;
    std::string worker_id;
    std::vector<std::string> capabilities{};
    std::string metadata{}; ///< a JSON object
};

struct UnregisterWorker {
    using Reply = Done;
    std::string worker_id;
};

struct Heartbeat {
    using Reply = Done;
    std::string worker_id;
};

/// Now, or an error: nothing waits.
struct AssignTask {
    using Reply = Done;
    std::string task_id;
    std::optional<std::string> worker_id{}; ///< none: the best one
    std::string task_data{};                ///< a JSON object
    std::string fields{};                   ///< further ones of the call, a JSON object: {"priority":"high"}
};

/// To be done when its time has come and a worker can take it.
struct SubmitTask {
    using Reply = Done;
    std::string task_id;
    std::string task_data{}; ///< a JSON object
    std::string fields{};    ///< further ones of the call, a JSON object: {"dependsOn":["a"],"delayMs":500}
};

/// Which assignment a report is about. Nothing named: it counts only while the first attempt is live.
struct Lease {
    std::string worker_id{};
    std::uint32_t attempt = 0; ///< 0: not named
    Revision fence = 0;        ///< likewise
};

/// The holder works on it.
struct UpdateTask {
    using Reply = Done;
    std::string task_id;
    std::optional<double> progress{}; ///< 0 to 100
    Lease lease{};
};

struct CompleteTask {
    using Reply = Done;
    std::string task_id;
    std::string result{}; ///< JSON
    Lease lease{};
};

struct FailTask {
    using Reply = Done;
    std::string task_id;
    std::string error{}; ///< JSON
    Lease lease{};
};

struct CancelTask {
    using Reply = Done;
    std::string task_id;
    std::string reason{};
    std::optional<std::chrono::milliseconds> grace{}; ///< for the holder to stop; none: the daemon's default
};

/// Brings back one that has failed or was cancelled.
struct RetryTask {
    using Reply = Done;
    std::string task_id;
};

/// Forgets one that has ended.
struct DeleteTask {
    using Reply = Done;
    std::string task_id;
};

/// It is given nothing more, and what it holds at the deadline goes to others.
struct DrainWorker {
    using Reply = Done;
    std::string worker_id;
    bool drain = true; ///< false: it takes work again
    std::optional<std::chrono::milliseconds> deadline{};
};

/// To all who subscribe to the topic, or to one worker.
struct PublishMessage {
    using Reply = Done;
    std::string topic;
    std::string payload{};    ///< JSON
    std::string recipient{};  ///< a worker; empty: whoever subscribes to the topic
    std::string message_id{}; ///< empty: the bus makes one
    std::string
        fields{}; ///< further ones of the call, a JSON object: {"guarantee":"exactly-once","ttl":1000}
};

struct FindTask {
    using Reply = TaskView;
    std::string task_id;
};

struct FindWorker {
    using Reply = WorkerView;
    std::string worker_id;
};

/// JSON, as `GET /api/metrics` answers.
struct ReadMetrics {
    using Reply = std::string;
};

} // namespace request

using AnyRequest =
    std::variant<request::RegisterWorker, request::UnregisterWorker, request::Heartbeat, request::AssignTask,
                 request::SubmitTask, request::UpdateTask, request::CompleteTask, request::FailTask,
                 request::CancelTask, request::RetryTask, request::DeleteTask, request::DrainWorker,
                 request::PublishMessage, request::FindTask, request::FindWorker, request::ReadMetrics>;
using AnyReply = tl::expected<std::variant<Done, TaskView, WorkerView, std::string>, Error>;

} // namespace coordination
