#include "cli/ctl/cortex/import_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

Handling handling_of(std::string_view status, bool include_assigned)
{
    if (status == "pending" || status == "queued")
        return Handling::hand_out;
    if (status == "completed" || status == "failed")
        return Handling::finish;
    const bool begun = status == "assigned" || status == "in_progress";
    return begun && include_assigned ? Handling::hand_out : Handling::leave_alone;
}

/// Finds a task by its id, or by the end of it that stands after a dash.
class Names {
public:
    explicit Names(const CortexQueue& queue)
    {
        for (std::size_t i = 0; i < queue.tasks.size(); ++i) {
            const std::string_view id = queue.tasks[i].id;
            whole_.emplace(id, i);
            for (auto dash = id.find('-'); dash != std::string_view::npos; dash = id.find('-', dash + 1)) {
                const auto [entry, added] = ends_.emplace(id.substr(dash + 1), i);
                if (!added)
                    entry->second = std::nullopt; // of more than one: of none
            }
        }
    }

    std::optional<std::size_t> find(std::string_view name) const
    {
        if (const auto found = whole_.find(name); found != whole_.end())
            return found->second;
        const auto found = ends_.find(name);
        return found == ends_.end() ? std::nullopt : found->second;
    }

private:
    std::unordered_map<std::string_view, std::size_t> whole_;
    std::unordered_map<std::string_view, std::optional<std::size_t>> ends_;
};

/// A task that waits for itself through others, if there is one: what is left after all that can run has run.
std::optional<std::size_t> find_circle(const std::vector<PlannedTask>& plan)
{
    std::unordered_map<std::size_t, std::size_t> open; // task to be handed out: how many it still waits for
    std::unordered_map<std::size_t, std::vector<std::size_t>> dependents;
    for (const auto& task : plan)
        if (task.handling == Handling::hand_out)
            open.emplace(task.index, 0);
    std::vector<std::size_t> ready;
    for (const auto& task : plan) {
        if (task.handling != Handling::hand_out)
            continue;
        for (const auto dependency : task.waits_for) {
            if (!open.contains(dependency))
                continue;
            ++open[task.index];
            dependents[dependency].push_back(task.index);
        }
        if (open[task.index] == 0)
            ready.push_back(task.index);
    }
    while (!ready.empty()) {
        const auto done = ready.back();
        ready.pop_back();
        open.erase(done);
        for (const auto dependent : dependents[done])
            if (--open[dependent] == 0)
                ready.push_back(dependent);
    }
    return open.empty() ? std::nullopt : std::optional(open.begin()->first);
}

} // namespace

int urgency(std::string_view priority)
{
    if (priority == "critical")
        return 0;
    if (priority == "high")
        return 1;
    return priority == "low" ? 3 : 2;
}

tl::expected<std::vector<PlannedTask>, std::string> plan_import(const CortexQueue& queue,
                                                                bool include_assigned)
{
    const Names names{queue};
    std::vector<PlannedTask> plan;
    for (std::size_t i = 0; i < queue.tasks.size(); ++i) {
        const auto& task = queue.tasks[i];
        PlannedTask planned;
        planned.index = i;
        planned.handling = handling_of(task.status, include_assigned);
        for (const auto& dependency : task.dependencies) {
            if (const auto found = names.find(dependency))
                planned.waits_for.push_back(*found);
            else
                planned.unknown_dependencies.push_back(dependency);
        }
        plan.push_back(std::move(planned));
    }
    if (const auto caught = find_circle(plan))
        return tl::unexpected(
            fmt::format("the task {} waits for itself: its context.dependencies go in a circle",
                        printable(queue.tasks[*caught].id)));
    std::ranges::sort(plan, {}, [&](const PlannedTask& planned) {
        return std::pair(urgency(queue.tasks[planned.index].priority), planned.index);
    });
    return plan;
}

json::object assign_request(const CortexTask& task, std::string_view worker_id)
{
    auto data = task.fields;
    const bool asks = data.contains("capabilities");
    if (worker_id.empty() && !asks && !task.type.empty())
        data["capabilities"] = json::array{json::string(task.type)};
    json::object request{{"taskId", task.id}};
    if (!worker_id.empty())
        request["workerId"] = worker_id;
    if (!task.priority.empty())
        request["priority"] = task.priority;
    request["taskData"] = std::move(data);
    return request;
}

EndRequest end_request(const CortexTask& task, std::string_view worker_id)
{
    const bool completed = task.status == "completed";
    EndRequest request{.target = completed ? "/api/tasks/complete" : "/api/tasks/fail",
                       .body = {{"taskId", task.id}, {"workerId", worker_id}}};
    const auto* name = completed ? "result" : "error";
    if (const auto* outcome = find_value(task.fields, name))
        request.body[name] = *outcome;
    return request;
}

} // namespace coordination::ctl
