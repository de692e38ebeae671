#include "core/store/task_indexes.hpp"

#include <algorithm>

namespace coordination {
namespace {

std::optional<Timestamp> due_of(const Worker& worker) noexcept
{
    if (!worker.draining || worker.drain_by == Timestamp{} || worker.active_tasks == 0)
        return std::nullopt;
    return worker.drain_by;
}

bool waits_for_others(const Task* task) noexcept
{
    return task && task->status == TaskStatus::pending && task->outstanding > 0 && task->policy;
}

bool has_unique_key(const Task* task) noexcept
{
    return task && task->policy && !task->policy->unique_key.empty() && !is_terminal(task->status);
}

bool has_idempotency_key(const Task* task) noexcept
{
    return task && task->policy && !task->policy->idempotency_key.empty();
}

std::size_t bytes_of(const Task& task) noexcept
{
    return task.id.text.size() + task.payload.size() + task.outcome.size() + sizeof(Task);
}

void prefetch(const Task& task) noexcept
{
    constexpr std::size_t line = 64;
    for (std::size_t at = 0; at < sizeof(Task); at += line)
        __builtin_prefetch(reinterpret_cast<const char*>(&task) + at, 1);
}

template <class Row, class Index>
void follow_due(const Row* before, const Row* after, Index& index)
{
    const auto was = before ? due_of(*before) : std::nullopt;
    const auto is = after ? due_of(*after) : std::nullopt;
    if (was == is)
        return; // the row stays the same one
    if (was)
        index.erase({*was, before->ordinal});
    if (is)
        index.emplace(*is, after->ordinal);
}

} // namespace

std::optional<Timestamp> due_of(const Task& task) noexcept
{
    std::optional<Timestamp> due;
    const auto offer = [&due](Timestamp at) {
        if (at != Timestamp{} && (!due || at < *due))
            due = at;
    };
    if (task.status == TaskStatus::pending) {
        offer(task.not_before);
        if (task.policy)
            offer(task.policy->expires_at);
    } else if (is_held(task.status)) {
        offer(task.cancel_by);
        if (task.policy && task.policy->timeout.count() > 0)
            offer(task.assigned_at + task.policy->timeout);
    }
    return due;
}

void TaskIndexes::task_changed(const Task* before, const Task* after)
{
    if (before && !before->policy && after && !after->policy && before->status == after->status &&
        !after->cancel_requested() && !before->cancel_requested() && !is_terminal(after->status) &&
        before->not_before == after->not_before)
        return; // progress, as a rule
    follow_due(before, after, tasks_due_);
    if (before && is_terminal(before->status)) {
        const std::pair key(before->ended_at, before->ordinal);
        if (key == ended_.begin()->first) // as a rule: the oldest is forgotten
            ended_.erase(ended_.begin());
        else
            ended_.erase(key);
        ended_bytes_ -= bytes_of(*before);
    }
    if (after && is_terminal(after->status)) {
        ended_.emplace_hint(ended_.end(), std::pair(after->ended_at, after->ordinal), after);
        ended_bytes_ += bytes_of(*after);
    }
    if (waits_for_others(before))
        for (const auto& id : before->policy->depends_on)
            dependents_.erase({id.view(), before->ordinal});
    if (has_unique_key(before))
        unique_keys_.erase(before->policy->unique_key.view());
    if (has_idempotency_key(before))
        idempotency_keys_.erase(before->policy->idempotency_key.view());
    if (waits_for_others(after))
        for (const auto& id : after->policy->depends_on)
            dependents_.emplace(id.view(), after->ordinal);
    if (has_unique_key(after))
        unique_keys_.emplace(after->policy->unique_key.view(), after->ordinal);
    if (has_idempotency_key(after))
        idempotency_keys_.emplace(after->policy->idempotency_key.view(), after->ordinal);
}

void TaskIndexes::worker_changed(const Worker* before, const Worker* after)
{
    follow_due(before, after, workers_due_);
}

std::optional<Timestamp> TaskIndexes::next_due() const noexcept
{
    std::optional<Timestamp> next;
    for (const auto* due : {&tasks_due_, &workers_due_})
        if (!due->empty() && (!next || due->begin()->first < *next))
            next = due->begin()->first;
    return next;
}

std::optional<Revision> TaskIndexes::due_task(Timestamp now) const noexcept
{
    if (tasks_due_.empty() || tasks_due_.begin()->first > now)
        return std::nullopt;
    return tasks_due_.begin()->second;
}

std::optional<Revision> TaskIndexes::due_worker(Timestamp now) const noexcept
{
    if (workers_due_.empty() || workers_due_.begin()->first > now)
        return std::nullopt;
    return workers_due_.begin()->second;
}

std::vector<Revision> TaskIndexes::dependents_of(std::string_view task) const
{
    std::vector<Revision> dependents;
    for (auto entry = dependents_.lower_bound({task, 0}); entry != dependents_.end() && entry->first == task;
         ++entry)
        dependents.push_back(entry->second);
    return dependents;
}

std::vector<Revision> TaskIndexes::dependents() const
{
    std::set<Revision> dependents;
    for (const auto& [task, dependent] : dependents_)
        dependents.insert(dependent);
    return {dependents.begin(), dependents.end()};
}

Revision TaskIndexes::with_unique_key(std::string_view key) const noexcept
{
    const auto entry = unique_keys_.find(key);
    return entry == unique_keys_.end() ? 0 : entry->second;
}

Revision TaskIndexes::with_idempotency_key(std::string_view key) const noexcept
{
    const auto entry = idempotency_keys_.find(key);
    return entry == idempotency_keys_.end() ? 0 : entry->second;
}

const Task* TaskIndexes::to_forget(const Limits& limits, Timestamp now) const noexcept
{
    if (ended_.empty())
        return nullptr;
    const auto age = limits.keep_ended_for;
    const bool old = age.count() > 0 && ended_.begin()->first.first + age <= now;
    const bool many = limits.keep_ended_count > 0 && ended_.size() > limits.keep_ended_count;
    const bool large = limits.keep_ended_bytes > 0 && ended_bytes_ > limits.keep_ended_bytes;
    if (!old && !many && !large)
        return nullptr;
    // By the time it is this one's turn, it has come from memory.
    if (const auto next = std::next(ended_.begin()); next != ended_.end())
        prefetch(*next->second);
    return ended_.begin()->second;
}

std::optional<Timestamp> TaskIndexes::next_to_forget(const Limits& limits) const noexcept
{
    if (ended_.empty() || limits.keep_ended_for.count() == 0)
        return std::nullopt;
    return ended_.begin()->first.first + limits.keep_ended_for;
}

} // namespace coordination
