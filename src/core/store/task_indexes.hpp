#pragma once

#include "core/limits.hpp"
#include "core/store/records.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace coordination {

/// What follows from the rows beside the schedule: what is due when, who waits for whom, which keys are
/// taken, which ended tasks are the oldest. Updated with each write and each undone write, so that none of it
/// can differ from a recount.
///
/// Threads  One.
class TaskIndexes {
public:
    void task_changed(const Task* before, const Task* after);
    void worker_changed(const Worker* before, const Worker* after);

    /// The earliest time that a row waits for; none: no row does.
    std::optional<Timestamp> next_due() const noexcept;
    /// Ordinals of tasks that have something due, of workers whose drain must end; none: not yet.
    std::optional<Revision> due_task(Timestamp now) const noexcept;
    std::optional<Revision> due_worker(Timestamp now) const noexcept;

    /// Ordinals of the tasks that wait for this one.
    std::vector<Revision> dependents_of(std::string_view task) const;
    /// Of all that wait for others.
    std::vector<Revision> dependents() const;
    /// The unfinished task that has the unique key; the task that has the idempotency key. 0: none.
    Revision with_unique_key(std::string_view key) const noexcept;
    Revision with_idempotency_key(std::string_view key) const noexcept;

    /// Of tasks that have ended and are still kept.
    std::size_t ended() const noexcept { return ended_.size(); }
    std::size_t ended_bytes() const noexcept { return ended_bytes_; }
    /// The one that ended first, if the limits ask for one to go; none: they do not.
    const Task* to_forget(const Limits& limits, Timestamp now) const noexcept;
    /// When to_forget() will next name one for its age alone.
    std::optional<Timestamp> next_to_forget(const Limits& limits) const noexcept;

private:
    using Due = std::set<std::pair<Timestamp, Revision>>;

    Due tasks_due_;
    Due workers_due_;
    std::map<Due::value_type, const Task*> ended_; ///< by the time of the end; rows stay where they are
    std::size_t ended_bytes_ = 0;
    std::set<std::pair<std::string_view, Revision>> dependents_; ///< keys stand in the rows' policies
    std::unordered_map<std::string_view, Revision> unique_keys_;
    std::unordered_map<std::string_view, Revision> idempotency_keys_;
};

/// When something has to happen to a task whatever anybody does: it becomes ready, expires, its attempt has
/// taken too long, its grace ends. None: nothing.
std::optional<Timestamp> due_of(const Task& task) noexcept;

} // namespace coordination
