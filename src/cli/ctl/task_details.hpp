#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <boost/json/object.hpp>

#include "cli/ctl/table.hpp"

namespace coordination::ctl {

/// The names in a task that the daemon owns; all others are the user's own.
bool owned_by_daemon(std::string_view name);

/// Everything about one task, the daemon's knowledge first, then what its owner wrote.
Details task_details(const boost::json::object& task, std::int64_t now_ms);

} // namespace coordination::ctl
