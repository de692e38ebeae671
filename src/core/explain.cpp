#include "core/explain.hpp"

#include "core/commands/lease.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace coordination {
namespace {

constexpr std::size_t listed_max = 20;      // names in one reason
constexpr std::size_t counted_max = 10'000; // "behind N" stops counting there

using Kind = Reason::Kind;

Reason for_tasks(const StateStore& state, const Task& task)
{
    Reason reason{.kind = Kind::waits_for_tasks, .text = {}, .count = task.outstanding};
    for (const auto& id : task.policy->depends_on) {
        const Task* dependency = state.tasks().find(id.view());
        if (dependency && !is_terminal(dependency->status) && reason.names.size() < listed_max)
            reason.names.emplace_back(id.view());
    }
    reason.text = "it waits for " + std::to_string(task.outstanding) + " of the tasks that it depends on";
    return reason;
}

/// Which of the capabilities nobody has at all; none: each is had, but not by one worker.
Reason no_such_worker(const StateStore& state, const Task& task)
{
    Reason reason{.kind = Kind::no_such_worker, .text = "no registered worker has all that it asks for"};
    for (const auto& name : task.required->names()) {
        const auto has = [&](const auto& row) { return row.second.capabilities->contains(name); };
        if (std::ranges::none_of(state.workers().rows(), has))
            reason.names.push_back(name);
    }
    for (const auto& name : reason.names)
        reason.text += (&name == &reason.names.front() ? ": nobody has " : ", ") + name;
    return reason;
}

void add_standing(std::vector<Reason>& reasons, const StateStore& store, const Task& task, Timestamp now)
{
    const auto standing = store.schedule().standing(task.required);
    if (standing.full)
        reasons.push_back({.kind = Kind::running_limit,
                           .text = "of " + standing.full->name + " no more than " +
                                   std::to_string(standing.full->most) + " may run at once",
                           .names = {standing.full->name},
                           .count = standing.full->running});
    if (standing.registered == 0)
        reasons.push_back(no_such_worker(store, task));
    else if (standing.present == 0)
        reasons.push_back({.kind = Kind::nobody_present,
                           .text = "the workers that could take it are offline or draining",
                           .count = standing.registered});
    else if (standing.with_room == 0)
        reasons.push_back({.kind = standing.pulling > 0 ? Kind::to_be_fetched : Kind::all_full,
                           .text = standing.pulling > 0 ? "a worker that fetches its work can claim it"
                                                        : "the workers that could take it are full",
                           .count = standing.pulling > 0 ? standing.pulling : standing.present});
    if (reasons.empty())
        reasons.push_back({.kind = Kind::can_go, .text = "it is about to be handed out"});
    const auto ahead = task.ready() ? store.schedule().ahead_of(task, now, counted_max) : 0;
    if (ahead > 0 && standing.registered > 0)
        reasons.push_back(
            {.kind = Kind::behind, .text = std::to_string(ahead) + " tasks go first", .count = ahead});
}

} // namespace

std::string_view name_of(Reason::Kind kind) noexcept
{
    constexpr std::array<std::string_view, 11> names{
        "ended",    "held",          "waits_for_time", "waits_for_tasks", "no_such_worker", "nobody_present",
        "all_full", "running_limit", "behind",         "can_go",          "to_be_fetched"};
    return names[static_cast<std::size_t>(kind)];
}

std::vector<Reason> explain(const StateStore& store, const Task& task, Timestamp now)
{
    std::vector<Reason> reasons;
    if (is_terminal(task.status)) {
        reasons.push_back({.kind = Kind::ended, .text = "it is " + std::string(name_of(task.status))});
        return reasons;
    }
    if (is_held(task.status)) {
        reasons.push_back({.kind = Kind::held,
                           .text = "worker " + std::string(task.assigned_to.view()) + " has it",
                           .names = {std::string(task.assigned_to.view())}});
        return reasons;
    }
    if (has_expired(task, now)) {
        reasons.push_back({.kind = Kind::ended, .text = "it is too late for it: its expiresAt has passed"});
        return reasons;
    }
    if (task.not_before != Timestamp{})
        reasons.push_back(
            {.kind = Kind::waits_for_time, .text = "its time has not come", .at = task.not_before});
    if (task.outstanding > 0)
        reasons.push_back(for_tasks(store, task));
    add_standing(reasons, store, task, now);
    return reasons;
}

} // namespace coordination
