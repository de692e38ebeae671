#pragma once

#include "core/schedule/capabilities.hpp"
#include "core/schedule/worker_queue.hpp"
#include "core/store/records.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace coordination {

/// Who goes first among waiting tasks of one priority: the oldest.
struct TaskAge {
    Timestamp since;
    Revision ordinal; ///< of the task's row
    const Task* row;  ///< which stays where it is as long as it waits
    friend bool operator==(const TaskAge& a, const TaskAge& b) noexcept { return a.ordinal == b.ordinal; }
    friend auto operator<=>(const TaskAge& a, const TaskAge& b) noexcept
    {
        return std::tie(a.since, a.ordinal) <=> std::tie(b.since, b.ordinal);
    }
};

/// Why the tasks of one kind wait, as the scheduler sees it.
struct Standing {
    std::size_t registered = 0;         ///< workers that have what they ask for
    std::size_t present = 0;            ///< those among them that are there and not leaving
    std::size_t with_room = 0;          ///< those among them that could be sent one now
    std::size_t pulling = 0;            ///< workers that could fetch one now
    const RunningGroup* full = nullptr; ///< of which no more may be held; none: that is not why
};

/// Which worker takes a task, and which task a worker takes: the two questions of a scheduler, answered from
/// indexes that follow from the rows alone (they are updated with each write, and with each undone write).
///
/// Shape   Workers with the same capabilities form a pool, tasks with the same requirements a demand. A pool
/// serves a
///         demand when it has every capability that the demand asks for; these pairs are worked out once,
///         when a pool or a demand appears. Choosing a worker compares the best of each pool that serves the
///         demand; where many do (fleets in which each worker has a capability of its own), the demand keeps
///         those bests sorted. Choosing a task is the mirror image: a pool compares the oldest task of each
///         demand that it serves and of each priority; where it serves many demands, it keeps these heads
///         sorted. So neither the number of workers nor that of tasks enters the cost. A demand whose running
///         limit is reached is closed: it has no heads until a task of its group ends.
/// Bounds  A demand without waiting tasks is kept for reuse; beyond `idle_demands_max` the oldest go.
/// Threads One.
class Schedule {
public:
    /// Covers every capability combination that a fleet's tasks use in practice; a rebuilt one costs a pass
    /// over the pools, not over the workers.
    static constexpr std::size_t idle_demands_max = 1024;

    Schedule(std::uint32_t tasks_per_worker_max, std::chrono::milliseconds aging);
    ~Schedule();
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    /// Tells of a row that was written: what it was (none: new) and what it is (none: deleted).
    void worker_changed(const Worker* before, const Worker* after);
    void task_changed(const Task* before, const Task* after);

    /// The ordinal of the worker that a task with these requirements goes to now; none where no worker has
    /// room.
    std::optional<Revision> best_worker(const Capabilities& required);
    /// The task that this worker takes next; none where nothing waits that it can do, or it has no room. Most
    /// urgent first, a task rising one level for each `aging` it has waited; then oldest.
    const Task* best_task(const Worker& worker, Timestamp now) const;
    /// Whether a running limit keeps such tasks from being held now.
    static const RunningGroup* full_group(const Capabilities& required) noexcept;
    /// The heads of the demands of which more may be held since the last call.
    std::vector<Revision> take_reopened();

    /// Of tasks with these requirements.
    Standing standing(const Capabilities& required) const;
    /// How many tasks go before this waiting one, to any worker that could take it; stops at `most`.
    std::size_t ahead_of(const Task& task, Timestamp now, std::size_t most) const;
    /// How many waiting tasks no registered worker could ever take.
    std::size_t unplaceable() const noexcept;

    /// How urgent a task is now: its priority's number less one for each `aging` it has waited, 0 at the
    /// least.
    std::int64_t level(const Task& task, Timestamp now) const noexcept
    {
        return level(task.priority, task.waiting_since(), now);
    }

    std::size_t waiting() const noexcept { return waiting_; }
    std::size_t available() const noexcept { return available_; }
    std::size_t pools() const noexcept { return pools_.size(); }

private:
    struct Pool;
    struct Demand;
    /// More pools than this and a demand sorts their bests (more demands, and a pool sorts their heads):
    /// below, comparing them is cheaper than keeping order.
    static constexpr std::size_t wide_from = 32;

    std::int64_t level(Priority written, Timestamp since, Timestamp now) const noexcept;
    /// Whether it could hold one more, and whether one may be sent to it.
    bool can_take(const Worker& worker) const noexcept;
    bool has_room(const Worker& worker) const noexcept { return can_take(worker) && !worker.pulls; }
    bool before(const TaskAge& task, int written, const TaskAge& other, int other_written,
                Timestamp now) const noexcept;
    void count(Pool& pool, const Worker& worker, int by) const noexcept;
    void count_running(const Task* before, const Task* after);
    void regroup(const RunningGroup& group, bool open);
    static std::string first_of(const Capabilities& required);
    template <class Use>
    void for_fitting_pools(const Capabilities& required, Use use) const;
    Pool& pool_for(const Capabilities& capabilities);
    Demand& demand_for(const Capabilities& required);
    static void widen(Demand& demand);
    static void link(Pool& pool, Demand& demand);
    static void publish(Pool& pool);
    static void broaden(Pool& pool);
    std::vector<const Pool*> pools_for(const Capabilities& required) const;
    static void publish_head(Demand& demand, std::size_t written);
    void drop_pool(Pool& pool);
    void drop_demand(Demand& demand);
    void drop_idle_demands();

    std::uint32_t tasks_per_worker_max_;
    std::chrono::milliseconds aging_;
    std::unordered_map<const CapabilitySet*, std::unique_ptr<Pool>> pools_;
    std::unordered_map<const CapabilitySet*, std::unique_ptr<Demand>> demands_;
    // So that a new pool or demand is held against those that it may fit, not against all.
    std::unordered_map<std::string, std::unordered_set<Pool*>> pools_with_;       ///< by each capability
    std::unordered_map<std::string, std::unordered_set<Demand*>> demands_asking_; ///< by the first; "": none
    std::unordered_map<const RunningGroup*, std::vector<Demand*>> grouped_; ///< the demands of limited groups
    std::vector<const CapabilitySet*> reopened_;
    std::size_t idle_demands_ = 0;
    std::uint64_t uses_ = 0; ///< a clock of its own, for "oldest"
    std::size_t waiting_ = 0;
    std::size_t available_ = 0;
};

} // namespace coordination
