#pragma once

#include "persist/snapshot/load.hpp"

#include <string>
#include <string_view>

namespace coordination {

/// Takes over a `state-snapshot.json` of the original daemon: one JSON object, compact or pretty-printed,
/// with `workers`, `tasks`, `assignments`, `workerTasks`, `metadata` and `timestamps`, each keyed by id. Also
/// one that the original wrote after it had loaded ours.
///
/// The original knows no order of age, attempts or fences: tasks are as old as they say (or as their
/// assignment), a task that was ever assigned is at its first attempt at least, and the leases begin anew.
tl::expected<LoadedSnapshot, std::string> load_original(std::string_view text, const std::string& path,
                                                        const Limits& limits, StateStore& store);

} // namespace coordination
