#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <tl/expected.hpp>

namespace coordination {

/// A task as its worker is given it.
struct AssignedTask {
    std::string id;
    std::int64_t attempt = 0;
    std::int64_t fence = 0;   ///< rises with every assignment: what others may check writes against
    boost::json::object data; ///< the whole task as the daemon told it: `title`, `priority`, …
    /// Fires when the work is wanted no more: the task was cancelled, the lease is lost, or this client
    /// leaves. From the client's strand.
    std::stop_token stop;
};

/// How a task ended: its result, or the error that it failed with. Any JSON.
using TaskEnding = tl::expected<boost::json::value, boost::json::value>;

/// Which task a call means. By the task itself it means that one attempt, and never a later one of the same
/// id that this worker may have been given meanwhile; by its id, the attempt that it holds now.
struct TaskRef {
    TaskRef(const AssignedTask& task) : id(task.id), attempt(task.attempt) {}
    TaskRef(std::string task_id) : id(std::move(task_id)) {}
    TaskRef(const char* task_id) : id(task_id) {}

    std::string id;
    std::optional<std::int64_t> attempt = std::nullopt;
};

} // namespace coordination
