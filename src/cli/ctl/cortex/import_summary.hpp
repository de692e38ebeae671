#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

namespace coordination::ctl {

/// What became of a queue.
struct ImportSummary {
    std::string file;
    std::size_t tasks = 0;
    std::size_t finished = 0;      ///< imported as finished
    std::size_t already_there = 0; ///< the daemon had them before
    std::size_t handed_out = 0;
    std::size_t completed = 0; ///< of those handed out, or waited for
    std::size_t failed = 0;
    std::size_t running = 0;
    std::size_t waiting = 0; ///< not handed out when it was interrupted
    std::vector<std::string> left_alone;
    std::vector<std::string> blocked;                         ///< what they wait for did not complete
    std::vector<std::pair<std::string, std::string>> refused; ///< id, why
    std::vector<std::pair<std::string, std::string>>
        unchecked; ///< id, a dependency that could not be waited for
};

std::string summary_text(const ImportSummary& summary);
boost::json::object summary_json(const ImportSummary& summary);

} // namespace coordination::ctl
