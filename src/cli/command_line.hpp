#pragma once

#include "cli/config.hpp"

#include <span>
#include <variant>

namespace coordination::cli {

/// An answer for standard output: the command line asked for one and not for a daemon.
struct Answer {
    std::string text;
};

/// Reads the daemon's arguments, without the program's name. Touches neither files nor the process.
tl::expected<std::variant<Config, Answer>, UsageError>
read_command_line(std::span<const std::string> arguments, const Texts& environment);

} // namespace coordination::cli
