#include "core/commands/filter.hpp"

#include "core/json/slice.hpp"

#include <algorithm>

namespace coordination {
namespace {

bool has_code(std::string_view error, std::string_view code)
{
    if (error.empty() || json::kind_of(error) != json::Kind::object)
        return false;
    json::Members members(error);
    while (const auto member = members.next())
        if (member->named("code"))
            return json::kind_of(member->value) == json::Kind::string &&
                   json::unquoted(member->value) == code;
    return false;
}

bool admits(const TaskFilter& filter, const Task& task)
{
    if (filter.status && task.status != *filter.status)
        return false;
    if (filter.ended_before && !(is_terminal(task.status) && task.ended_at < *filter.ended_before))
        return false;
    if (!filter.capability.empty() && !task.required->contains(filter.capability))
        return false;
    return filter.code.empty() || has_code(task.outcome, filter.code);
}

} // namespace

Revision select(const StateStore& state, const TaskFilter& filter, std::vector<Outcome::Named>& tasks)
{
    const auto& rows = state.tasks().rows();
    std::size_t seen = 0;
    for (auto row = rows.upper_bound(filter.after); row != rows.end(); ++row, ++seen) {
        if (seen == filter_rows_max || tasks.size() == filter.limit)
            return row->first - 1;
        if (admits(filter, row->second))
            tasks.push_back({row->second.id});
    }
    return 0;
}

bool is_awaited(const StateStore& state, const Task& ended)
{
    if (ended.status == TaskStatus::completed)
        return false;
    return std::ranges::any_of(state.indexes().dependents_of(ended.id.view()), [&](Revision dependent) {
        return !state.tasks().at_ordinal(dependent)->policy->run_despite_failure;
    });
}

} // namespace coordination
