#pragma once

#include "core/store/state_store.hpp"

/// The scheduler's two questions answered by looking at every row: what its indexes must agree with.
namespace coordination::sim {

bool can_take(const Worker& worker, const Limits& limits);
bool serves(const Worker& worker, const Task& task);
/// Whether a running limit, counted from the live leases, keeps the task back.
bool at_running_limit(const StateStore& state, const Task& task);
const Worker* best_worker(const StateStore& state, const Task& task, const Limits& limits);
const Task* best_task(const StateStore& state, const Worker& worker, const Limits& limits, Timestamp now);

} // namespace coordination::sim
