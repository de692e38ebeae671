#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

struct Watch {
    std::vector<std::string> topics;
    std::optional<std::int64_t> since;
    bool values = false;
};

/// Prints one line per change until the daemon is gone or the user has seen enough.
boost::asio::awaitable<Outcome> watch(ContextPtr context, Watch request);

/// One change in one line: time, revision, what happened to whom, and of its value what says most.
std::string change_line(const boost::json::object& frame, const Style& style);

} // namespace coordination::ctl
