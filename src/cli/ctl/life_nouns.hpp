#pragma once

#include <CLI/App.hpp>

#include "cli/ctl/nouns.hpp"

namespace coordination::ctl {

/// The commands about the life of tasks, and of workers that are to leave.
void add_task_life(CLI::App& task, Command& chosen);
void add_worker_life(CLI::App& worker, Command& chosen);

} // namespace coordination::ctl
