#pragma once

#include <ctime>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/cortex/queue_file.hpp"

namespace coordination::ctl {

/// The daemon's tasks as a Cortex queue. With the queue that was there before, its tasks keep their place,
/// their fields and the order of these, and only what the daemon decides is changed; those that the daemon
/// does not have stay as they are. Without it, a task is written as it was handed to the daemon.
boost::json::object exported_queue(std::optional<CortexQueue> before, const boost::json::array& tasks,
                                   std::time_t now);

/// One task; `original` is how the file has it, or null.
boost::json::object exported_task(const boost::json::object* original, const boost::json::object& task);

/// "2025-12-05T08:23:22-0600", as Cortex writes times.
std::string cortex_time(std::time_t time);

} // namespace coordination::ctl
