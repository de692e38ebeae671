#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "cli/ctl/worker_run/child_process.hpp"

namespace coordination::ctl {

struct WorkerRun {
    std::string id; ///< empty: HOSTNAME-PID
    std::vector<std::string> capabilities;
    std::size_t tasks_max = 0;              ///< at once; 0: no bound of our own
    std::chrono::milliseconds grace{5'000}; ///< from asking a command to end to killing it
    std::string program;                    ///< where command.front() was found
    std::vector<std::string> command;
};

/// Is a worker until it is told to leave. The command line's --help says what it does.
boost::asio::awaitable<Outcome> worker_run(ContextPtr context, WorkerRun request);

} // namespace coordination::ctl
