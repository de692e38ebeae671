#include "cli/ctl/worker_run/frames.hpp"

#include <unistd.h>

#include <boost/json/array.hpp>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

json::object update_of(const Lease& lease, std::string_view status, std::string_view request_id)
{
    json::object update{
        {"type", "task_update"}, {"taskId", lease.task_id}, {"status", status}, {"requestId", request_id}};
    if (lease.attempt)
        update["attempt"] = *lease.attempt;
    if (lease.fence)
        update["fence"] = *lease.fence;
    return update;
}

json::array array_of(const std::vector<std::string>& texts)
{
    json::array array;
    for (const auto& text : texts)
        array.emplace_back(text);
    return array;
}

} // namespace

Lease lease_of(const json::object& task)
{
    return Lease{.task_id = string_or(task, "id", ""),
                 .attempt = find_integer(task, "attempt"),
                 .fence = find_integer(task, "fence")};
}

std::string register_frame(const WorkerRun& request)
{
    json::object metadata{
        {"client", "coordctl"}, {"pid", ::getpid()}, {"command", array_of(request.command)}};
    if (request.tasks_max > 0)
        metadata["maxTasks"] = request.tasks_max;
    return compact_json(json::object{{"type", "register"},
                                     {"workerId", request.id},
                                     {"capabilities", array_of(request.capabilities)},
                                     {"metadata", std::move(metadata)}});
}

std::string heartbeat_frame(std::string_view worker_id)
{
    return compact_json(json::object{{"type", "heartbeat"}, {"workerId", worker_id}});
}

std::string get_task_frame(std::string_view task_id, std::string_view request_id)
{
    return compact_json(json::object{{"type", "get_task"}, {"taskId", task_id}, {"requestId", request_id}});
}

std::string progress_frame(const Lease& lease, std::optional<double> progress, std::string_view request_id)
{
    auto update = update_of(lease, "in_progress", request_id);
    if (progress && *progress == static_cast<double>(static_cast<std::int64_t>(*progress)))
        update["progress"] = static_cast<std::int64_t>(*progress);
    else if (progress)
        update["progress"] = *progress;
    return compact_json(update);
}

std::string ending_frame(const Lease& lease, const Ending& ending, std::string_view request_id)
{
    auto update = update_of(lease, ending.completed ? "completed" : "failed", request_id);
    update[ending.completed ? "result" : "error"] = ending.detail;
    return compact_json(update);
}

std::string cancelled_frame(const Lease& lease)
{
    auto update = update_of(lease, "cancelled", "");
    update.erase("requestId");
    return compact_json(update);
}

} // namespace coordination::ctl
