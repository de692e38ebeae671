#include "persist/wal/recover.hpp"

#include <fmt/format.h>

#include <utility>

namespace coordination {
namespace {

DiskResult<void> cut(Disk& disk, const std::string& path, std::size_t offset)
{
    auto file = disk.open(path, OpenMode::append);
    if (!file)
        return tl::unexpected(file.error());
    const auto truncated = (*file)->truncate(offset);
    return truncated ? (*file)->sync() : truncated;
}

} // namespace

tl::expected<RecoveredState, std::string> recover_state(Disk& disk, const StatePaths& paths,
                                                        const Limits& limits, StateStore& store)
{
    const auto cleared = remove_unfinished_segments(disk, paths.log);
    if (!cleared)
        return tl::unexpected(cleared.error().text());
    auto state = read_state(disk, paths, limits, store);
    if (!state)
        return tl::unexpected(std::move(state.error().line));

    RecoveredState recovered;
    auto& notes = recovered.recovery.notes;
    if (state->snapshot)
        notes = std::move(state->snapshot->notes);
    if (state->torn) {
        const auto& path = state->segments.back().name.path;
        const auto done = cut(disk, path, state->torn->offset);
        if (!done)
            return tl::unexpected(done.error().text());
        notes.push_back(
            fmt::format("{}: the last record was torn: cut off {} bytes from byte {} on, behind "
                        "revision {}; if the disk itself lost them, a change that was acknowledged "
                        "may be gone",
                        path, state->torn->bytes, state->torn->offset, state->revision));
    }
    recovered.recovery.revision = state->revision;
    recovered.recovery.tail_cut = state->torn.has_value();
    recovered.recovery.may_have_lost = !state->complete;
    recovered.segments = std::move(state->segments);
    recovered.log_bytes = state->log_bytes;
    return recovered;
}

} // namespace coordination
