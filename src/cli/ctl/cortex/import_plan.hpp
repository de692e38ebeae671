#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "cli/ctl/cortex/queue_file.hpp"

namespace coordination::ctl {

/// How the ids of workers begin that are there only to import what has ended before.
inline constexpr std::string_view importer_prefix = "coordctl-import-";

enum class Handling {
    hand_out,   ///< it is to be done
    finish,     ///< it is done: the daemon is told its end
    leave_alone ///< somebody may be at it, or its status is none that we know
};

struct PlannedTask {
    std::size_t index = 0; ///< in the queue
    Handling handling = Handling::leave_alone;
    std::vector<std::size_t> waits_for;            ///< tasks of the queue, by index
    std::vector<std::string> unknown_dependencies; ///< names of none, or of more than one
};

/// What is to become of each task, in the order in which that is begun: most urgent first, then as in the
/// file. The error tells a circle of dependencies.
tl::expected<std::vector<PlannedTask>, std::string> plan_import(const CortexQueue& queue,
                                                                bool include_assigned);

/// critical 0, high 1, normal and medium 2, low 3; what has another priority or none is normal.
int urgency(std::string_view priority);

/// The body of the call that assigns the task: all of its fields, and its type as the capability unless it
/// names its own. With `worker_id` the task goes there and asks for no capability.
boost::json::object assign_request(const CortexTask& task, std::string_view worker_id = {});

/// The body of the call that ends a finished task as the file says it ended, and whether that
/// is complete or fail.
struct EndRequest {
    std::string target;
    boost::json::object body;
};
EndRequest end_request(const CortexTask& task, std::string_view worker_id);

} // namespace coordination::ctl
