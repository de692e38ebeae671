#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "cli/ctl/nouns.hpp"

namespace coordination::ctl {

/// `body`: the call's fields.
boost::asio::awaitable<Outcome> message_publish(ContextPtr context, boost::json::object body);

struct MessageListen {
    std::vector<std::string> topics;
    bool keep = false; ///< acknowledge nothing
};
/// Prints one line per message, then acknowledges it, until the daemon is gone or the user has seen enough.
boost::asio::awaitable<Outcome> message_listen(ContextPtr context, MessageListen request);

void add_message(CLI::App& app, Command& chosen);

} // namespace coordination::ctl
