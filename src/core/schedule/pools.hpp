#pragma once

#include "core/schedule/schedule.hpp"

#include <algorithm>

/// What the schedule is made of; for its own files only.
namespace coordination {

struct Schedule::Pool {
    Capabilities capabilities;
    std::size_t members = 0;             ///< workers with these capabilities, with room or without
    std::size_t present = 0;             ///< those that are there and not leaving
    std::size_t pulling = 0;             ///< those with room that fetch their work
    WorkerQueue available;               ///< those with room
    std::optional<WorkerRank> published; ///< the best, as the wide demands know it
    std::vector<Demand*> demands;        ///< those it serves
    std::vector<Demand*> wide_demands;   ///< those among them that keep their pools sorted
    bool broad = false;
    std::array<std::set<TaskAge>, priority_count> fronts; ///< where broad: the heads of its demands
};

struct Schedule::Demand {
    Capabilities required;
    std::array<std::set<TaskAge>, priority_count> waiting;
    std::vector<Pool*> pools; ///< those that serve it
    bool wide = false;
    WorkerQueue bests; ///< where wide: the published best of each pool that has one
    std::array<std::optional<TaskAge>, priority_count> heads; ///< the oldest, where it may be held
    std::vector<Pool*> broad_pools;                           ///< those that keep its heads among others
    std::uint64_t last_use = 0;

    bool idle() const noexcept
    {
        return std::ranges::all_of(waiting, [](const auto& level) { return level.empty(); });
    }
};

} // namespace coordination
