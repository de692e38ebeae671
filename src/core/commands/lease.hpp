#pragma once

#include "core/commands/commands.hpp"

/// The life of a lease: the one place that writes assignments.
namespace coordination {

/// Gives a pending (or new) task to a worker with room: the next attempt, fenced by the revision of this
/// write.
void begin_lease(Transaction& tx, Task task, const Worker& worker);

/// The holder's task reached a terminal status.
void end_lease(Transaction& tx, const Task& held, TaskStatus terminal, Text outcome);

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
