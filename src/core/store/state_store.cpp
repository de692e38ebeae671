#include "core/store/state_store.hpp"

#include <algorithm>
#include <cassert>
#include <ranges>
#include <utility>

namespace coordination {

namespace {

/// How often the task has ended as failed, those ends from which it was brought back included.
std::uint64_t failures_of(const Task& task) noexcept
{
    std::uint64_t failures = task.status == TaskStatus::failed ? 1 : 0;
    if (task.past)
        failures += static_cast<std::uint64_t>(std::ranges::count_if(*task.past, [](const PastAttempt& past) {
            return past.reopened != 0 && past.how != AttemptEnd::cancelled;
        }));
    return failures;
}

} // namespace

FrozenView::FrozenView(StateStore& store)
    : workers(store.workers_, store.revision_),
      tasks(store.tasks_, store.revision_),
      messages(store.messages_, store.revision_),
      store_(store),
      revision_(store.revision_),
      totals_(store.totals_)
{
    store.views_.push_back(this);
}

FrozenView::~FrozenView()
{
    std::erase(store_.views_, this);
}

StateStore::StateStore(const Limits& limits)
    : running_limits_(limits.running_limits),
      schedule_(limits.tasks_per_worker_max, limits.aging)
{
}

StateStore::~StateStore()
{
    assert(views_.empty() && "a view outlives its store");
}

std::span<const TaskId> StateStore::tasks_of(std::string_view worker) const noexcept
{
    const auto held = worker_tasks_.find(worker);
    if (held == worker_tasks_.end())
        return {};
    return held->second;
}

Capabilities StateStore::require(std::vector<std::string> names, std::string_view payload)
{
    auto groups = running_limits_.groups_of(names, payload);
    return capabilities_.intern(std::move(names), std::move(groups));
}

/// Files know what a task asks for, not the limits that it falls under: those are this daemon's.
void StateStore::count_in_groups(Task& task)
{
    if (auto groups = running_limits_.groups_of(task.required->names(), task.payload); !groups.empty())
        task.required = capabilities_.intern(task.required->names(), std::move(groups));
}

void StateStore::touch(std::string_view worker, Timestamp seen, bool heartbeat) noexcept
{
    Worker* row = workers_.find(worker);
    row->last_seen = std::max(row->last_seen, seen);
    if (heartbeat)
        row->last_heartbeat = std::max(row->last_heartbeat, seen);
}

void StateStore::restore(Worker worker)
{
    if (worker.ordinal == 0)
        worker.ordinal = ++revision_;
    follow(nullptr, &workers_.insert(std::move(worker)));
}

void StateStore::restore(Task task)
{
    if (task.ordinal == 0)
        task.ordinal = ++revision_;
    count_in_groups(task);
    follow(nullptr, &tasks_.insert(std::move(task)));
}

void StateStore::restore(Assignment assignment)
{
    if (assignment.ordinal == 0)
        assignment.ordinal = ++revision_;
    follow(nullptr, &assignments_.insert(std::move(assignment)));
}

void StateStore::restore(BusMessage message)
{
    follow(nullptr, &messages_.insert(std::move(message)));
}

template <class Record>
void StateStore::replay_row(Record record)
{
    auto& rows = table<Record>();
    Record* row = rows.find(record.id.view());
    if (!row) {
        follow(nullptr, &rows.insert(std::move(record)));
        return;
    }
    record.id = row->id; // the index points into it
    const Record before = std::exchange(*row, std::move(record));
    follow(&before, row);
}

template <class Record>
void StateStore::replay_end(std::string_view id)
{
    const auto taken = table<Record>().take(id);
    follow(&taken.mapped(), nullptr);
}

void StateStore::replay(Revision revision, Worker worker)
{
    replay_row(std::move(worker));
    revision_ = revision;
}

void StateStore::replay(Revision revision, Task task)
{
    const Assignment* lease = assignments_.find(task.id.view());
    const bool held = is_held(task.status);
    if (lease && (!held || lease->ordinal != task.fence)) {
        replay_end<Assignment>(task.id.view());
        lease = nullptr;
    }
    if (held && !lease)
        replay_row(Assignment{task.id, task.assigned_to, task.attempt, task.fence, task.assigned_at});
    count_in_groups(task);
    replay_row(std::move(task));
    revision_ = revision;
}

void StateStore::replay(Revision revision, BusMessage message)
{
    replay_row(std::move(message));
    revision_ = revision;
}

void StateStore::replay_settle(Revision revision, const MessageId& id, const WorkerId& receiver)
{
    BusMessage message = *messages_.find(id.view());
    settle(message, receiver);
    replay(revision, std::move(message));
}

void StateStore::replay_erase(Revision revision, const MessageId& id)
{
    replay_end<BusMessage>(id.view());
    revision_ = revision;
}

void StateStore::replay_erase(Revision revision, const WorkerId& id)
{
    replay_end<Worker>(id.view());
    revision_ = revision;
}

void StateStore::replay_erase(Revision revision, const TaskId& id)
{
    if (assignments_.find(id.view()))
        replay_end<Assignment>(id.view());
    replay_end<Task>(id.view());
    revision_ = revision;
}

void StateStore::revert(UndoLog log) noexcept
{
    if (log.writes.empty())
        return;
    take_back(log.writes);
    revision_ = log.began_at;
}

void StateStore::take_back(std::vector<Undo>& writes) noexcept
{
    for (auto& write : writes | std::views::reverse)
        std::visit([this](auto& w) { undo(w); }, write);
}

template <class Record>
void StateStore::undo(Inserted<Record>& write)
{
    auto& rows = table<Record>();
    const auto taken = rows.take(rows.at_ordinal(write.ordinal)->id.view());
    follow(&taken.mapped(), nullptr);
}

template <class Record>
void StateStore::undo(Replaced<Record>& write)
{
    Record* row = table<Record>().find(write.before.id.view());
    const Record after = std::exchange(*row, std::move(write.before));
    if constexpr (std::is_same_v<Record, Worker>) { // liveness is no part of what was written
        row->last_seen = std::max(row->last_seen, after.last_seen);
        row->last_heartbeat = std::max(row->last_heartbeat, after.last_heartbeat);
    }
    follow(&after, row);
}

template <class Record>
void StateStore::undo(Erased<Record>& write)
{
    const Record& row = table<Record>().insert(std::move(write.row));
    follow(nullptr, &row);
}

void StateStore::follow(const Worker* before, const Worker* after)
{
    schedule_.worker_changed(before, after);
    indexes_.worker_changed(before, after);
    message_indexes_.worker_changed(before, after);
    online_workers_ -= before && before->online ? 1 : 0;
    online_workers_ += after && after->online ? 1 : 0;
}

void StateStore::follow(const Task* before, const Task* after)
{
    schedule_.task_changed(before, after);
    indexes_.task_changed(before, after);
    if (before)
        --by_status_[static_cast<std::size_t>(before->status)];
    if (after)
        ++by_status_[static_cast<std::size_t>(after->status)];
    if (before && after) { // neither a deletion nor a restored row is an end; an undone end counts back
        totals_.processed += static_cast<std::uint64_t>(after->status == TaskStatus::completed) -
                             static_cast<std::uint64_t>(before->status == TaskStatus::completed);
        totals_.failed += failures_of(*after) - failures_of(*before);
    }
}

void StateStore::follow(const Assignment* before, const Assignment* after)
{
    if (before) {
        const auto held = worker_tasks_.find(before->worker.view());
        auto& tasks = held->second;
        const auto task =
            std::find(tasks.rbegin(), tasks.rend(), before->id); // where many are given back: the last
        *task = std::move(tasks.back());
        tasks.pop_back();
        if (held->second.empty())
            worker_tasks_.erase(held);
    }
    if (after) {
        // The worker's row outlives its assignments, so its id may serve as the key.
        const Worker* worker = workers_.find(after->worker.view());
        assert(worker && "an assignment names a worker that exists");
        worker_tasks_[worker->id.view()].push_back(after->id);
    }
}

void StateStore::follow(const BusMessage* before, const BusMessage* after)
{
    message_indexes_.message_changed(before, after);
}

void StateStore::keep_for_views(const BusMessage& before)
{
    for (FrozenView* view : views_)
        view->messages.keep(before);
}

void StateStore::keep_for_views(const Worker& before)
{
    for (FrozenView* view : views_)
        view->workers.keep(before);
}

void StateStore::keep_for_views(const Task& before)
{
    for (FrozenView* view : views_)
        view->tasks.keep(before);
}

} // namespace coordination
