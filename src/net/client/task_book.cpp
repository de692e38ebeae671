#include "net/client/task_book.hpp"

#include <algorithm>
#include <utility>

namespace coordination::net_client {

namespace json = boost::json;

HeldTask* TaskBook::find(const std::string& id)
{
    const auto entry = held_.find(id);
    return entry == held_.end() ? nullptr : &entry->second;
}

HeldTask* TaskBook::find(const Lease& lease)
{
    auto* held = find(lease.task_id);
    return held && held->lease.same_attempt(lease) ? held : nullptr;
}

HeldTask* TaskBook::find(const TaskRef& task)
{
    auto* held = find(task.id);
    return held && (!task.attempt || *task.attempt == held->lease.attempt) ? held : nullptr;
}

const PastTask* TaskBook::find_past(const TaskRef& task) const
{
    const auto entry = past_.find(task.id);
    if (entry == past_.end() || (task.attempt && *task.attempt != entry->second.lease.attempt))
        return nullptr;
    return &entry->second;
}

HeldTask& TaskBook::hold(const Lease& lease, const json::object& task)
{
    HeldTask held{.lease = lease, .task = {}, .stop = {}};
    held.task = AssignedTask{.id = lease.task_id,
                             .attempt = lease.attempt,
                             .fence = lease.fence,
                             .data = task,
                             .stop = held.stop.get_token()};
    return held_.insert_or_assign(lease.task_id, std::move(held)).first->second;
}

void TaskBook::end(const Lease& lease, std::optional<std::string> ending)
{
    if (find(lease))
        held_.erase(lease.task_id);
    forget(lease.task_id);
    past_bytes_ += ending ? ending->size() : 0;
    past_.emplace(lease.task_id, PastTask{lease, std::move(ending)});
    past_order_.push_back(lease.task_id);
    while (past_order_.size() > past_count_max_ || past_bytes_ > past_bytes_max_)
        forget(std::string(past_order_.front()));
}

void TaskBook::forget(const std::string& id)
{
    const auto entry = past_.find(id);
    if (entry == past_.end())
        return;
    past_bytes_ -= entry->second.ending ? entry->second.ending->size() : 0;
    past_.erase(entry);
    past_order_.erase(std::ranges::find(past_order_, id)); // near the front, but for what ends again
}

std::vector<Lease> TaskBook::not_among(const json::array& held) const
{
    std::vector<Lease> lost;
    for (const auto& [id, task] : held_)
        if (!task.ending && std::ranges::find(held, json::value(id)) == held.end())
            lost.push_back(task.lease);
    return lost;
}

} // namespace coordination::net_client
