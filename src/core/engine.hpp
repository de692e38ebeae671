#pragma once

#include "core/commands/commands.hpp"
#include "core/schedule/lease_clock.hpp"

#include <optional>
#include <vector>

namespace coordination {

/// A lease that its worker must be told of.
struct Delivery {
    SessionId session;
    Task task;
    Timestamp at;
};

/// What became visible, oldest first. Nobody may see any of it before it is as durable as was promised.
struct Effects {
    std::vector<Change> changes;
    std::vector<Delivery> deliveries;
    UndoLog* undo = nullptr; ///< where how to take the changes back is noted; none: nobody will

    void clear() noexcept
    {
        changes.clear();
        deliveries.clear();
    }
};

/// The deterministic state machine: state + command + time -> outcome + effects. Whoever drives it (the
/// daemon's strand, a simulator, a test) brings the time and carries out the effects.
///
/// Use      execute() for each call, then settle(), which hands waiting work to whoever can take it; expire()
/// when
///          next_deadline() has come.
/// Threads  One.
class Engine {
public:
    explicit Engine(const Limits& limits)
        : limits_(limits),
          store_(limits),
          lease_clock_(limits.heartbeat_timeout)
    {
    }

    /// One command, one transaction: all of its writes or none.
    Result execute(const Command& command, const Caller& caller, Timestamp now, Effects& effects);

    /// Assigns what waits as far as there is room for it, and adds what workers must be told. Each assignment
    /// is a transaction of its own.
    void settle(Timestamp now, Effects& effects);

    /// Takes back the leases of workers that have been silent for the heartbeat timeout; of some at a time, so that
    /// next_deadline() may still lie in the past.
    void expire(Timestamp now, Effects& effects);
    /// When expire() should be called next; none: nothing is running out. May be early, never late.
    std::optional<Timestamp> next_deadline() const noexcept
    {
        return read_only_ ? std::nullopt : lease_clock_.next();
    }

    /// After recovery, when the daemon listens again: nobody is connected, and whoever holds a task has the
    /// heartbeat timeout, counted from now, to come back. Revisions go on behind `revision`.
    void resume(Revision revision, Timestamp now);

    /// While read-only, whatever would write is refused with storage_failed, nothing is assigned and no lease runs out;
    /// signs of life and repeats are answered as ever.
    void set_read_only(bool read_only) noexcept { read_only_ = read_only; }
    /// The owner took committed changes back: nothing that they gave rise to is to be done. Watches every lease anew.
    void revert(UndoLog log);

    StateStore& store() noexcept { return store_; }
    const StateStore& store() const noexcept { return store_; }
    const Limits& limits() const noexcept { return limits_; }

private:
    void note(const std::vector<Change>& changes, std::size_t from);
    void deliver_again(const WorkerId& worker);
    void place_ready_tasks(Timestamp now, Effects& effects);
    void fill_roomy_workers(Timestamp now, Effects& effects);
    void assign(const Task& task, const Worker& worker, Timestamp now, Effects& effects);

    Limits limits_;
    StateStore store_;
    LeaseClock lease_clock_;
    bool read_only_ = false;
    // What the last changes made worth looking at; emptied by settle().
    std::vector<Revision> roomy_workers_;
    std::vector<Revision> ready_tasks_;
    std::vector<TaskId> undelivered_;
};

} // namespace coordination
