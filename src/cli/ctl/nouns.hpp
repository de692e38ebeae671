#pragma once

#include <CLI/App.hpp>

#include "cli/ctl/command_line.hpp"

namespace coordination::ctl {

/// Declares every command. Parsing then puts the one that was given into `chosen`,
/// or throws a CLI::ParseError.
void add_commands(CLI::App& app, Command& chosen);

} // namespace coordination::ctl
