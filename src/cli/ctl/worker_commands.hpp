#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "cli/ctl/table.hpp"

namespace coordination::ctl {

boost::asio::awaitable<Outcome> worker_ls(ContextPtr context);
boost::asio::awaitable<Outcome> worker_info(ContextPtr context, std::string id);

/// The table of `worker ls` and `top`.
Table worker_table(const boost::json::array& workers, std::int64_t now_ms);

} // namespace coordination::ctl
