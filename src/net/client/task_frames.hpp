#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "net/client/assigned_task.hpp"

namespace coordination::net_client {

/// What a worker says of a task, as bodies of requests: the attempt and fence are added when they are sent.

std::string ending_body(const std::string& task_id, const TaskEnding& ending);
/// That the work for a cancelled task has stopped.
std::string stopped_body(const std::string& task_id);

boost::json::object error_object(std::string_view message, std::string_view code);

} // namespace coordination::net_client
