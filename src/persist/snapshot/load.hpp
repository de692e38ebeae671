#pragma once

#include "core/limits.hpp"
#include "core/store/state_store.hpp"
#include "persist/disk.hpp"
#include "persist/snapshot/format.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace coordination {

struct LoadedSnapshot {
    SnapshotHeader header;
    std::size_t workers = 0;
    std::size_t tasks = 0;
    /// What had to be settled to take over a state of the original daemon: one line each, for the log.
    std::vector<std::string> notes;
};

/// Reads the snapshot at `path`, ours or the original's, into an empty store: every worker offline, every
/// lease kept. None where there is no such file. A snapshot that was left half written is removed.
///
/// Errors   One line for people: the file, the place, what to do. The store then holds an unfinished load and
///          is good for nothing.
tl::expected<std::optional<LoadedSnapshot>, std::string>
load_snapshot(Disk& disk, const std::string& path, const Limits& limits, StateStore& store);

} // namespace coordination
