#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <tl/expected.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

using Command = std::function<boost::asio::awaitable<Outcome>(ContextPtr)>;

struct Invocation {
    Settings settings;
    Command command;
};

/// What --help and --version print.
struct Answer {
    std::string text;
};

/// Reads the arguments after the program's name, and the environment. A failure is wrong usage, in one line.
tl::expected<std::variant<Invocation, Answer>, Failure>
read_command_line(std::span<const std::string> arguments);

} // namespace coordination::ctl
