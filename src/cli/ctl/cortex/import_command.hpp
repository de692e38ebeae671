#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

struct Import {
    std::string path;
    bool no_wait = false;
    bool include_assigned = false;
};

/// Gives the tasks of a Cortex queue to the daemon, through the same calls that everybody has. The command
/// line's --help says what becomes of which.
boost::asio::awaitable<Outcome> import_queue(ContextPtr context, Import request);

} // namespace coordination::ctl
