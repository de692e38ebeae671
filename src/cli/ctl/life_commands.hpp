#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

/// A call whose answer needs no more than a line: what is sent where, and the line, with `{}` for the task's
/// or worker's id.
struct LifeCall {
    std::string target;
    boost::json::object body;
    std::string done;
};
boost::asio::awaitable<Outcome> life_call(ContextPtr context, LifeCall call);

/// A call about all tasks that a filter admits, asked again until the daemon has seen them all.
struct BulkCall {
    std::string target;
    boost::json::object body;
    std::string done; ///< `{}` for how many
};
boost::asio::awaitable<Outcome> bulk_call(ContextPtr context, BulkCall call);

boost::asio::awaitable<Outcome> task_explain(ContextPtr context, std::string id);
boost::asio::awaitable<Outcome> task_events(ContextPtr context, std::string id);

} // namespace coordination::ctl
