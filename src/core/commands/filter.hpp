#pragma once

#include "core/commands/commands.hpp"

namespace coordination {

/// How many rows one call looks at, so that it holds up nobody.
inline constexpr std::size_t filter_rows_max = 20'000;

/// Adds the tasks that the filter admits, oldest first, at most its limit. Where it stopped, for the next
/// call; 0: it has seen all.
Revision select(const StateStore& state, const TaskFilter& filter, std::vector<Outcome::Named>& tasks);

/// Whether tasks that are to be cancelled with this one have not been yet (that goes in slices). Were it
/// forgotten before, they would be taken for tasks whose dependency had been met.
bool is_awaited(const StateStore& state, const Task& ended);

} // namespace coordination
