#pragma once

#include "core/commands/commands.hpp"

/// The life of a lease: the one place that writes assignments.
namespace coordination {

/// Gives a pending (or new) task to a worker with room: the next attempt, fenced by the revision of this
/// write.
void begin_lease(Transaction& tx, Task task, const Worker& worker);

/// The holder's task reached a terminal status.
void end_lease(Transaction& tx, const Task& held, TaskStatus terminal, Text outcome);

/// The attempt has failed: the task waits for another, or ends where its policy asks for no more.
void fail_attempt(Transaction& tx, const Task& held, Text error, AttemptEnd how);
/// The same, the time that its policy gives an attempt having passed.
void take_too_long(Transaction& tx, const Task& held);

/// Whether a waiting task may not be begun any more, be its timer late or not.
bool has_expired(const Task& waiting, Timestamp now) noexcept;

/// A task that nobody holds ends. `code` empty: there is nothing to tell of why.
void end_waiting(Transaction& tx, const Task& waiting, TaskStatus terminal, std::string_view why,
                 std::string_view code);

/// Adds the latest attempt to the past ones, as it ended.
void remember(Task& task, AttemptEnd how, Text error, const Transaction& tx);

enum class Loss {
    crash,       ///< the worker is gone: counts against the crash limit
    handed_back, ///< the worker left in good order: does not
};

/// Ends every lease of a worker and writes the worker as `after` says, its load taken off. The tasks wait
/// again, in their old place by age, or fail where too many leases were lost.
void end_all_leases(Transaction& tx, Worker after, Loss loss);

/// Whether a caller may report on the live lease of a task; STALE_ATTEMPT where it speaks of another lease or
/// for another worker.
tl::expected<void, Error> may_report(const StateStore& state, const Task& task, const Caller& caller,
                                     const LeaseClaim& claim);

} // namespace coordination
