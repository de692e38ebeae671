#pragma once

#include "core/commands/commands.hpp"
#include "core/schedule/lease_clock.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coordination {

/// A lease that its worker must be told of: it began, or it must end.
struct Delivery {
    SessionId session;
    Task task;
    Timestamp at;
    bool cancelled = false;
    std::string reason{}; ///< why it must end, for people
};

/// What became visible, oldest first. Nobody may see any of it before it is as durable as was promised.
struct Effects {
    std::vector<Change> changes;
    std::vector<Delivery> deliveries;
    std::vector<PostPtr> posts; ///< messages to be delivered
    UndoLog* undo = nullptr;    ///< where how to take the changes back is noted; none: nobody will

    void clear() noexcept
    {
        changes.clear();
        deliveries.clear();
        posts.clear();
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

    /// Lets time pass: takes back the leases of the workers that have been silent for the heartbeat timeout,
    /// and does what the rows have due (see due_of()), a slice at a time.
    void expire(Timestamp now, Effects& effects);
    /// When expire() should be called next; none: nothing is running out. May be early, never late.
    std::optional<Timestamp> next_deadline() const noexcept;

    /// Whether a claim by this worker would be answered with work now.
    bool has_work_for(std::string_view worker, Timestamp now) const;

    /// After recovery, when the daemon listens again: nobody is connected, and whoever holds a task has the
    /// heartbeat timeout, counted from now, to come back. Revisions go on behind `revision`.
    void resume(Revision revision, Timestamp now);

    /// While read-only, whatever would write is refused with storage_failed, nothing is assigned and no lease
    /// runs out; signs of life and repeats are answered as ever.
    void set_read_only(bool read_only) noexcept { read_only_ = read_only; }
    /// The owner took committed changes back: nothing that they gave rise to is to be done. Watches every
    /// lease anew.
    void revert(UndoLog log);

    StateStore& store() noexcept { return store_; }
    const StateStore& store() const noexcept { return store_; }
    const Limits& limits() const noexcept { return limits_; }

private:
    // How much is done in one go: what is left comes with the next expire(), which is due at once.
    static constexpr int due_max = 256;
    static constexpr std::size_t resolved_max = 1024;
    static constexpr int forgotten_max = 64;

    void note(const std::vector<Change>& changes, std::size_t from);
    void note(const Change& change, const Task& task);
    void follow_up(const Command& command, const Caller& caller, const Outcome& outcome);
    void deliver_again(const WorkerId& worker);
    void watch_everyone();

    /// Runs `write` as a transaction of its own.
    template <class Write>
    void transact(Timestamp now, Effects& effects, Write&& write)
    {
        const auto before = effects.changes.size();
        Transaction tx(store_, now);
        write(tx);
        tx.commit(effects.changes, effects.undo);
        note(effects.changes, before);
    }
    void resolve(Timestamp now, Effects& effects);
    void place(std::vector<Revision> ordinals, Timestamp now, Effects& effects);
    void fill_roomy_workers(Timestamp now, Effects& effects);
    void assign(const Task& task, const Worker& worker, Timestamp now, Effects& effects);
    void tell_workers(Timestamp now, Effects& effects);
    void pass_due(Timestamp now, Effects& effects);
    void tell_stops(Timestamp now, Effects& effects);
    void end_silent_leases(Timestamp now, Effects& effects);
    void forget_ended(Timestamp now, Effects& effects, int tasks_max);
    std::optional<MessageIndexes::Done> done_to_forget(Timestamp now) const noexcept;
    void forget_done(Timestamp now, Effects& effects, int messages_max);

    Limits limits_;
    StateStore store_;
    LeaseClock lease_clock_;
    bool read_only_ = false;
    // What the last changes made worth looking at; emptied by settle().
    std::vector<Revision> roomy_workers_;
    std::vector<Revision> ready_tasks_;
    std::vector<TaskId> undelivered_;
    /// Holders that must stop, and why.
    struct Stop {
        TaskId task;
        WorkerId holder;
        std::string reason;
    };
    std::vector<Stop> stops_;
    std::deque<Revision> unresolved_; ///< tasks whose dependencies have moved
};

} // namespace coordination
