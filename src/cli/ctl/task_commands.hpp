#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "cli/ctl/table.hpp"

namespace coordination::ctl {

struct TaskAssign {
    std::string id;
    std::string worker;
    std::vector<std::string> capabilities;
    std::string priority;
    boost::json::object data;
};

struct TaskList {
    std::string status;
    std::string capability;
    std::string cursor;
    std::optional<std::uint64_t> limit;
};

/// How a task ended: `outcome` is its result or its error.
struct TaskEnd {
    std::string id;
    std::string worker;
    std::optional<std::int64_t> attempt;
    boost::json::value outcome;
};

boost::asio::awaitable<Outcome> task_assign(ContextPtr context, TaskAssign request);
boost::asio::awaitable<Outcome> task_ls(ContextPtr context, TaskList request);
boost::asio::awaitable<Outcome> task_info(ContextPtr context, std::string id);
boost::asio::awaitable<Outcome> task_complete(ContextPtr context, const TaskEnd& end);
boost::asio::awaitable<Outcome> task_fail(ContextPtr context, const TaskEnd& end);

/// The table of `task ls` and `top`.
Table task_table(const boost::json::array& tasks, std::int64_t now_ms);

} // namespace coordination::ctl
