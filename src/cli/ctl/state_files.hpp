#pragma once

#include <boost/asio/awaitable.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "persist/wal/read_state.hpp"

namespace coordination::ctl {

// What a daemon has left on the disk, looked at without it. Each takes the place for as long as it lasts, so
// that no daemon runs there.

/// Whether a daemon would start on it, and what is in each file.
boost::asio::awaitable<Outcome> state_verify(ContextPtr context, StatePaths paths);

/// Every change in the log, a line of JSON each, also behind what is damaged.
boost::asio::awaitable<Outcome> state_dump(ContextPtr context, StatePaths paths);

/// Keeps what is before the first damage of the log.
boost::asio::awaitable<Outcome> state_repair(ContextPtr context, StatePaths paths);

} // namespace coordination::ctl
