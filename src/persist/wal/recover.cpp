#include "persist/wal/recover.hpp"

#include "persist/wal/segment_file.hpp"

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

/// An earlier process may have ended before it synced them, or after a sync that failed: then they are in
/// the kernel's memory, which no second sync has to write, and a loss of power would leave a hole in the log
/// behind which others went on. So they go into a fresh segment, which takes their place.
DiskResult<void> write_anew(Disk& disk, const StatePaths& paths, ReadState& state)
{
    const auto& last = state.segments.back().header;
    const SegmentHeader header{.sequence = last.sequence + 1,
                               .continues_from = state.unsynced->behind,
                               .starts_at = state.unsynced->behind,
                               .synced_first = last.synced_first && !state.torn};
    const auto made = SegmentFile::create(disk, paths.log, header, state.unsynced->records, 0);
    if (!made)
        return tl::unexpected(made.error().error);
    state.segments.push_back({{header.sequence, made->path()}, header});
    return {};
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
    if (state->snapshot) {
        notes = std::move(state->snapshot->notes);
        const auto named =
            disk.sync_directory(directory_of(paths.snapshot)); // it may have got its name just now
        if (!named)
            return tl::unexpected(named.error().text());
    }
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
    if (state->unsynced) {
        const auto written = write_anew(disk, paths, *state);
        if (!written)
            return tl::unexpected(written.error().text());
    }
    recovered.recovery.revision = state->revision;
    recovered.recovery.tail_cut = state->torn.has_value();
    recovered.recovery.may_have_lost = !state->complete;
    recovered.segments = std::move(state->segments);
    recovered.log_bytes = state->log_bytes;
    return recovered;
}

} // namespace coordination
