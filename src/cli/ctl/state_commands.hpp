#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "cli/ctl/table.hpp"

namespace coordination::ctl {

boost::asio::awaitable<Outcome> state(ContextPtr context);
boost::asio::awaitable<Outcome> metrics(ContextPtr context);
boost::asio::awaitable<Outcome> snapshot(ContextPtr context);

/// "28 (14 completed, 12 pending, 2 failed)": how many there are, and of each status.
std::string counted_by_status(const boost::json::array* things);

/// One section of the metrics, nested groups flattened into "latency p99".
Details metrics_section(const boost::json::object& section);

} // namespace coordination::ctl
