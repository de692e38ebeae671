#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

namespace coordination::ctl {

/// One task of a Cortex queue: what the importer needs of it, and all of it.
struct CortexTask {
    std::string id;
    std::string type;
    std::string status;
    std::string priority;
    std::vector<std::string> dependencies; ///< as written: whole ids, or their ends ("timeout-001")
    boost::json::object fields;            ///< every field, in the file's order
};

/// A Cortex task-queue.json.
struct CortexQueue {
    boost::json::object document; ///< without its tasks, which keep their place as an empty member
    std::vector<CortexTask> tasks;
};

/// The error says where: "line 3, column 7: …" or "tasks[4]: …".
tl::expected<CortexQueue, std::string> parse_cortex_queue(std::string_view text);

} // namespace coordination::ctl
