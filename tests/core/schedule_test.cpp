#include "core/random_calls.hpp"
#include "core/schedule/schedule.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <utility>

using namespace coordination;
using namespace coordination::testing;

namespace {

constexpr std::uint32_t tasks_per_worker_max = 4;
constexpr std::chrono::milliseconds aging{1000};

/// Workers and tasks that change at random, with the answers that a look at each of them gives.
class Pasture {
public:
    Pasture(std::uint64_t seed, std::size_t names) : random_(seed), names_(names) {}

    void change_a_worker()
    {
        const auto ordinal = 1 + below(60);
        const auto known = workers_.find(ordinal);
        if (known != workers_.end() && below(4) == 0) {
            schedule.worker_changed(&known->second, nullptr);
            workers_.erase(known);
            return;
        }
        Worker after = known != workers_.end() ? known->second : Worker{.capabilities = some_set(3)};
        after.ordinal = ordinal;
        if (below(4) == 0)
            after.capabilities = some_set(3);
        after.online = below(5) != 0;
        after.draining = below(8) == 0;
        after.active_tasks = static_cast<std::uint32_t>(below(tasks_per_worker_max + 1));
        after.idle_since = below(50);
        schedule.worker_changed(known != workers_.end() ? &known->second : nullptr, &after);
        workers_[ordinal] = after;
    }

    void change_a_task()
    {
        const auto ordinal = 1 + below(80);
        const auto known = tasks_.find(ordinal);
        if (known != tasks_.end() && below(4) == 0) {
            schedule.task_changed(&known->second, nullptr);
            tasks_.erase(known);
            return;
        }
        Task after = known != tasks_.end() ? known->second : Task{.required = some_set(2)};
        after.ordinal = ordinal;
        if (known == tasks_.end() || below(6) == 0) {
            after.required = some_set(2);
            after.priority = static_cast<Priority>(below(priority_count));
            after.created_at = Timestamp(std::chrono::milliseconds(below(8000)));
        }
        after.status = below(3) == 0 ? TaskStatus::in_progress : TaskStatus::pending;
        const bool is_new = known == tasks_.end();
        Task& row = tasks_[ordinal]; // the schedule points at rows, which stay where they are
        const Task before = std::exchange(row, after);
        schedule.task_changed(is_new ? nullptr : &before, &row);
    }

    std::optional<Revision> best_worker(const Capabilities& required) const
    {
        using Rank = std::tuple<std::uint32_t, Revision, Revision>;
        std::optional<Rank> best;
        for (const auto& [ordinal, worker] : workers_) {
            if (!has_room(worker) || !worker.capabilities->includes(*required))
                continue;
            const Rank rank{worker.active_tasks, worker.idle_since, ordinal};
            if (!best || rank < *best)
                best = rank;
        }
        return best ? std::optional(std::get<2>(*best)) : std::nullopt;
    }

    std::optional<Revision> best_task(const Worker& worker, Timestamp now) const
    {
        using Urgency = std::tuple<std::int64_t, Timestamp, Revision>;
        std::optional<Urgency> best;
        for (const auto& [ordinal, task] : tasks_) {
            if (task.status != TaskStatus::pending || !worker.capabilities->includes(*task.required))
                continue;
            const auto waited = std::max(now - task.created_at, std::chrono::milliseconds{0});
            const auto level =
                std::max<std::int64_t>(0, static_cast<std::int64_t>(task.priority) - waited / aging);
            const Urgency urgency{level, task.created_at, ordinal};
            if (!best || urgency < *best)
                best = urgency;
        }
        return best && has_room(worker) ? std::optional(std::get<2>(*best)) : std::nullopt;
    }

    void check()
    {
        const auto required = some_set(2);
        REQUIRE(schedule.best_worker(required) == best_worker(required));
        const Timestamp now(std::chrono::milliseconds(below(12000)));
        for (const auto& [ordinal, worker] : workers_)
        {
            const Task* next = schedule.best_task(worker, now);
            REQUIRE((next ? std::optional(next->ordinal) : std::nullopt) == best_task(worker, now));
        }
        REQUIRE(schedule.waiting() ==
                static_cast<std::size_t>(std::ranges::count_if(
                    tasks_, [](const auto& row) { return row.second.status == TaskStatus::pending; })));
        REQUIRE(schedule.available() == static_cast<std::size_t>(std::ranges::count_if(
                                            workers_, [](const auto& row) { return has_room(row.second); })));
    }

    Capabilities some_set(std::size_t size_max)
    {
        std::vector<std::string> names;
        for (auto size = below(size_max + 1); size > 0; --size)
            names.push_back("c" + std::to_string(below(names_)));
        return interner_.intern(std::move(names));
    }

    Schedule schedule{tasks_per_worker_max, aging};

private:
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    static bool has_room(const Worker& worker)
    {
        return worker.online && !worker.draining && worker.active_tasks < tasks_per_worker_max;
    }

    std::mt19937_64 random_;
    std::size_t names_;
    CapabilityInterner interner_;
    std::map<Revision, Worker> workers_;
    std::map<Revision, Task> tasks_;
};

} // namespace

TEST_CASE("the schedule answers as a look at every worker and every task would", "[schedule][random]")
{
    const auto seed = seed_of_run();
    // Few names: large pools. Many: nearly each worker a pool of its own, so that demands are wide.
    const std::size_t names = GENERATE(as<std::size_t>{}, 2, 5, 40);
    INFO("COORD_SEED=" << seed << " names " << names);
    Pasture pasture(seed, names);
    for (int step = 0; step < 3000; ++step) {
        INFO("step " << step);
        pasture.change_a_worker();
        pasture.change_a_task();
        pasture.check();
    }
}

TEST_CASE("a worker that changes its capabilities alone stays known to a demand that many pools serve",
          "[schedule]")
{
    CapabilityInterner interner;
    Schedule schedule(tasks_per_worker_max, aging);
    const auto anything = interner.intern({});
    for (Revision ordinal = 1; ordinal <= 100; ++ordinal) {
        const Worker worker{.capabilities = interner.intern({"c" + std::to_string(ordinal)}),
                            .online = true,
                            .active_tasks = ordinal == 1 ? 0U : 1U,
                            .ordinal = ordinal};
        schedule.worker_changed(nullptr, &worker);
        REQUIRE(schedule.best_worker(anything) == Revision{1});
    }
    const Worker before{.capabilities = interner.intern({"c1"}), .online = true, .ordinal = 1};
    Worker after = before;
    after.capabilities = interner.intern({"c2"});
    schedule.worker_changed(&before, &after);
    CHECK(schedule.best_worker(anything) == Revision{1});
}

TEST_CASE("requirements that nothing waits for are forgotten, and looked up anew when asked for again",
          "[schedule]")
{
    CapabilityInterner interner;
    Schedule schedule(tasks_per_worker_max, aging);
    Worker worker{.online = true, .ordinal = 7};
    std::vector<std::string> all;
    all.reserve(64);
    for (int i = 0; i < 64; ++i)
        all.push_back("c" + std::to_string(i));
    worker.capabilities = interner.intern(all);
    schedule.worker_changed(nullptr, &worker);

    const auto first = interner.intern({"c0", "c1"});
    REQUIRE(schedule.best_worker(first) == Revision{7});
    for (std::size_t i = 0; i < 2 * Schedule::idle_demands_max; ++i) {
        const auto required =
            interner.intern({"c" + std::to_string(i % 64), "c" + std::to_string(i / 64), "c63"});
        REQUIRE(schedule.best_worker(required) == Revision{7});
    }
    // The forgotten sets are free again, but for what is kept for reuse.
    CHECK(interner.size() <= Schedule::idle_demands_max + 2);
    CHECK(schedule.best_worker(first) == Revision{7});
    CHECK_FALSE(schedule.best_worker(interner.intern({"other"})));
}

TEST_CASE("a task rises one level for each aging period, up to critical", "[schedule]")
{
    const Schedule schedule(tasks_per_worker_max, aging);
    const Task task{.priority = Priority::low, .created_at = Timestamp(std::chrono::milliseconds(5000))};
    const auto level_at = [&](std::int64_t ms) {
        return schedule.level(task, Timestamp(std::chrono::milliseconds(ms)));
    };
    CHECK(level_at(0) == 3); // a clock that was set back
    CHECK(level_at(5999) == 3);
    CHECK(level_at(6000) == 2);
    CHECK(level_at(8000) == 0);
    CHECK(level_at(900000) == 0);
}
