#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

/// Writes the daemon's tasks as a Cortex queue to the file, or to standard output where `path` is empty. The
/// file is replaced whole or not at all.
boost::asio::awaitable<Outcome> export_queue(ContextPtr context, std::string path);

} // namespace coordination::ctl
