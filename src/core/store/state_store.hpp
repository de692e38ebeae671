#pragma once

#include "core/bus/message_indexes.hpp"
#include "core/bus/post.hpp"
#include "core/limits.hpp"
#include "core/schedule/running_limits.hpp"
#include "core/schedule/schedule.hpp"
#include "core/store/change.hpp"
#include "core/store/frozen_view.hpp"
#include "core/store/table.hpp"
#include "core/store/task_indexes.hpp"
#include "core/store/undo.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace coordination {

/// The state: workers, tasks, assignments and messages, and what follows from them (the tasks of each worker,
/// the schedule, the counts by status). Written through a Transaction only.
///
/// Revision  Rises by one for each change; the changes of a transaction follow each other.
/// Threads   One: the store's strand.
class StateStore {
public:
    struct Counters {
        std::uint64_t operations = 0; ///< rows written
        std::uint64_t transactions = 0;
        std::uint64_t rollbacks = 0;
    };
    static constexpr std::size_t metadata_entries = 2; ///< the collection `metadata`: the totals
    using TasksOf = std::unordered_map<std::string_view, std::vector<TaskId>>;

    explicit StateStore(const Limits& limits);
    ~StateStore();
    StateStore(const StateStore&) = delete;
    StateStore& operator=(const StateStore&) = delete;

    const Table<Worker>& workers() const noexcept { return workers_; }
    const Table<Task>& tasks() const noexcept { return tasks_; }
    const Table<Assignment>& assignments() const noexcept { return assignments_; }
    const Table<BusMessage>& messages() const noexcept { return messages_; }
    const MessageIndexes& message_indexes() const noexcept { return message_indexes_; }
    /// What the messages take that are on their way, rows or not. Not persisted: counted as they are posted.
    const std::shared_ptr<MessageQuota>& message_quota() noexcept { return message_quota_; }
    /// Tells apart what has no revision of its own. Not persisted.
    std::uint64_t next_serial() noexcept { return ++serial_; }
    /// The collection `workerTasks`: what each worker that holds something holds.
    const TasksOf& worker_tasks() const noexcept { return worker_tasks_; }
    std::span<const TaskId> tasks_of(std::string_view worker) const noexcept;

    Revision revision() const noexcept { return revision_; }
    std::size_t count(TaskStatus status) const noexcept
    {
        return by_status_[static_cast<std::size_t>(status)];
    }
    std::size_t online_workers() const noexcept { return online_workers_; }
    const Totals& totals() const noexcept { return totals_; }
    const Counters& counters() const noexcept { return counters_; }
    Schedule& schedule() noexcept { return schedule_; }
    const Schedule& schedule() const noexcept { return schedule_; }
    CapabilityInterner& capabilities() noexcept { return capabilities_; }
    const TaskIndexes& indexes() const noexcept { return indexes_; }
    /// What a task asks for, with the running limits that it falls under. `payload`: its data as JSON
    /// members.
    Capabilities require(std::vector<std::string> names, std::string_view payload);

    /// Liveness is not state: notes a sign of life without a transaction. The worker must exist.
    void touch(std::string_view worker, Timestamp seen, bool heartbeat) noexcept;

    /// For recovery, before anything else: rows as they were saved, and where the revisions go on. A row's
    /// ordinal must be its own; 0 stands for "next", for files that know none.
    void restore(Worker worker);
    void restore(Task task);
    void restore(Assignment assignment);
    void restore(BusMessage message);
    void restore(const Totals& totals) noexcept { totals_ = totals; }
    void continue_from(Revision revision) noexcept { revision_ = revision; }

    /// For recovery, behind restore(): a committed write once more, in the order of revisions. Assignments
    /// are not written of their own: they follow from the tasks, as the counts and totals do.
    ///
    /// Expects  What a Transaction would have: a new row's ordinal (and a lease's fence) is nobody else's, a
    ///          row keeps its ordinal, a task is held by a worker that exists, a worker that goes holds
    ///          nothing.
    void replay(Revision revision, Worker worker);
    void replay(Revision revision, Task task);
    void replay(Revision revision, BusMessage message);
    /// The receiver of a live message needs nothing more.
    void replay_settle(Revision revision, const MessageId& id, const WorkerId& receiver);
    void replay_erase(Revision revision, const WorkerId& id);
    void replay_erase(Revision revision, const TaskId& id);
    void replay_erase(Revision revision, const MessageId& id);

    /// Takes committed writes back, the latest ones that there are: their revisions will be given out again,
    /// so nobody may have seen them. Allocates at most what the writes themselves did.
    void revert(UndoLog log) noexcept;

private:
    friend class Transaction;
    friend class FrozenView;

    template <class Record>
    Table<Record>& table() noexcept
    {
        if constexpr (std::is_same_v<Record, Worker>)
            return workers_;
        else if constexpr (std::is_same_v<Record, Task>)
            return tasks_;
        else if constexpr (std::is_same_v<Record, Assignment>)
            return assignments_;
        else
            return messages_;
    }
    template <class Record>
    void replay_row(Record record);
    template <class Record>
    void replay_end(std::string_view id);
    void count_in_groups(Task& task);
    void take_back(std::vector<Undo>& writes) noexcept;
    template <class Record>
    void undo(Inserted<Record>& write);
    template <class Record>
    void undo(Replaced<Record>& write);
    template <class Record>
    void undo(Erased<Record>& write);

    // What follows from the rows: called for each write, and for each undone one with the two exchanged.
    void follow(const Worker* before, const Worker* after);
    void follow(const Task* before, const Task* after);
    void follow(const Assignment* before, const Assignment* after);
    void follow(const BusMessage* before, const BusMessage* after);
    void keep_for_views(const Worker& before);
    void keep_for_views(const Task& before);
    void keep_for_views(const BusMessage& before);
    void keep_for_views(const Assignment&) noexcept {} // views derive them from the tasks

    CapabilityInterner capabilities_;
    RunningLimits running_limits_;
    Table<Worker> workers_;
    Table<Task> tasks_;
    Table<Assignment> assignments_;
    Table<BusMessage> messages_;
    TasksOf worker_tasks_; ///< keys are the ids in the workers' rows
    Schedule schedule_;
    TaskIndexes indexes_;
    MessageIndexes message_indexes_;
    std::shared_ptr<MessageQuota> message_quota_ = std::make_shared<MessageQuota>();
    std::uint64_t serial_ = 0;
    std::array<std::size_t, task_status_count> by_status_{};
    std::size_t online_workers_ = 0;
    Revision revision_ = 0;
    Totals totals_;
    Counters counters_;
    std::vector<FrozenView*> views_;

    // Of the one transaction that may be open; kept here so that their memory is used again.
    bool transaction_open_ = false;
    std::vector<Undo> undo_;
    std::vector<Change> changes_;
};

} // namespace coordination
