#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cli/ctl/worker_run/task_process.hpp"
#include "cli/ctl/worker_run/worker_run.hpp"
#include "net/client/call_error.hpp"

namespace coordination::ctl {

/// One worker's hold on one task, as far as the daemon told.
struct Lease {
    std::string task_id;
    std::optional<std::int64_t> attempt;
    std::optional<std::int64_t> fence;

    /// The same assignment told twice. A daemon that was restarted may tell it with another fence.
    bool same_attempt(const Lease& other) const
    {
        return task_id == other.task_id && attempt == other.attempt;
    }
};

Lease lease_of(const boost::json::object& task);

/// The frames of a worker, as text.
std::string register_frame(const WorkerRun& request);
std::string heartbeat_frame(std::string_view worker_id);
std::string get_task_frame(std::string_view task_id, std::string_view request_id);
std::string progress_frame(const Lease& lease, std::optional<double> progress, std::string_view request_id);
std::string cancelled_frame(const Lease& lease);
std::string ending_frame(const Lease& lease, const Ending& ending, std::string_view request_id);

using net_client::is_our_mistake;
using net_client::lease_is_lost;
using net_client::may_succeed_later;

} // namespace coordination::ctl
