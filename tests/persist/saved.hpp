#pragma once

#include "core/store/state_store.hpp"
#include "persist/disk.hpp"
#include "persist/snapshot/load.hpp"

#include <functional>
#include <string>

namespace coordination::testing {

inline const std::string snapshot_path = "data/state-snapshot.json";
inline constexpr Timestamp saved_at{std::chrono::milliseconds{1234}};

using Loaded = tl::expected<std::optional<LoadedSnapshot>, std::string>;

/// Writes a view as the daemon does, `rows_max` rows at a time, calling `between` after each slice.
DiskResult<void>
save(Disk& disk, FrozenView& view, std::size_t rows_max, const std::function<void()>& between = [] {});
DiskResult<void> save(Disk& disk, StateStore& store, std::size_t rows_max = 100);

/// The text of a snapshot of this state.
std::string snapshot_of(StateStore& store);
/// What load_snapshot() says to a file with this text.
Loaded load_text(const std::string& text, StateStore& store);
/// The same text under a checksum that fits.
std::string sealed(std::string text);
/// With the first `what` replaced; throws where there is none.
std::string replaced(std::string text, std::string_view what, std::string_view with);

} // namespace coordination::testing
