#include "persist/wal/inspect.hpp"
#include "persist/wal/segment_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace coordination {
namespace {

/// A name beside `path` that is free.
DiskResult<std::string> free_name(Disk& disk, const std::string& path)
{
    for (int number = 0;; ++number) {
        auto name = path + ".damaged" + (number == 0 ? "" : "." + std::to_string(number));
        const auto taken = disk.exists(name);
        if (!taken)
            return tl::unexpected(taken.error());
        if (!*taken)
            return name;
    }
}

DiskResult<std::string> copy_aside(Disk& disk, const std::string& path)
{
    const auto bytes = read_file(disk, path);
    if (!bytes)
        return bytes;
    auto name = free_name(disk, path);
    if (!name)
        return name;
    auto file = disk.open(*name, OpenMode::create);
    if (!file)
        return tl::unexpected(file.error());
    const auto written = (*file)->write(*bytes).and_then([&] { return (*file)->sync(); });
    if (!written)
        return tl::unexpected(written.error());
    return name;
}

DiskResult<void> cut(Disk& disk, const std::string& path, std::size_t offset)
{
    if (offset < segment_format::header_bytes)
        return disk.remove(path);
    auto file = disk.open(path, OpenMode::append);
    if (!file)
        return tl::unexpected(file.error());
    return (*file)->truncate(offset).and_then([&] { return (*file)->sync(); });
}

/// Whether the snapshot, at `revision`, holds all that there was in a segment whose header is damaged.
bool is_superfluous(Disk& disk, const std::vector<SegmentName>& segments, const StateFault::Place& place,
                    Revision revision)
{
    if (place.offset != 0 || place.segment + 1 >= segments.size())
        return false;
    const auto next = read_file(disk, segments[place.segment + 1].path);
    const auto header = next ? read_header(*next) : tl::unexpected(HeaderFault{});
    return header && header->continues_from <= revision;
}

/// Copies what is lost, then takes it away, the end of the log first, so that a crash leaves no gap.
DiskResult<void> cut_log(Disk& disk, const std::vector<SegmentName>& segments, const StateFault::Place& place,
                         std::vector<std::string>& notes)
{
    for (auto i = place.segment; i < segments.size(); ++i) {
        const auto& path = segments[i].path;
        const auto copy = copy_aside(disk, path);
        if (!copy)
            return tl::unexpected(copy.error());
        const auto from = i == place.segment ? place.offset : 0;
        notes.push_back(
            from == 0 ? fmt::format("{}: taken out of the log, kept as {}", path, *copy)
                      : fmt::format("{}: cut off from byte {} on, kept whole as {}", path, from, *copy));
    }
    const auto directory = directory_of(segments.front().path);
    auto done = disk.sync_directory(directory);
    for (auto i = segments.size(); done && i-- > place.segment;)
        done = cut(disk, segments[i].path, i == place.segment ? place.offset : 0);
    return done ? disk.sync_directory(directory) : done;
}

/// Revisions beyond what is left were told to clients: a segment that says so makes the next start go on
/// above them.
DiskResult<void> mark(Disk& disk, const StatePaths& paths, std::uint64_t sequence, Revision revision)
{
    const auto marked = SegmentFile::create(disk, paths.log, {sequence, revision, revision, false}, {}, 0);
    if (!marked)
        return tl::unexpected(marked.error().error);
    return {};
}

} // namespace

tl::expected<Repair, std::string> repair_state(Disk& disk, const StatePaths& paths, const Limits& limits)
{
    const auto line = [](const DiskError& error) { return error.text(); };
    Repair repair;
    bool lost_any = false;
    std::uint64_t sequence = 1;
    for (;;) {
        StateStore store(limits);
        const auto state = read_state(disk, paths, limits, store);
        repair.revision = store.revision();
        if (state && !repair.needed)
            return repair;
        if (state)
            break;
        if (!state.error().cut_at)
            return tl::unexpected(state.error().line);
        const auto& place = *state.error().cut_at;
        auto segments = list_segments(disk, paths.log);
        if (!segments)
            return tl::unexpected(segments.error().text());
        if (!segments->empty())
            sequence = std::max(sequence, segments->back().sequence + 1);
        repair.needed = true;
        if (is_superfluous(disk, *segments, place, store.revision()))
            segments->resize(place.segment + 1); // what follows goes on from the snapshot without it
        else
            lost_any = true;
        const auto done = cut_log(disk, *segments, place, repair.notes);
        if (!done)
            return tl::unexpected(done.error().text());
    }
    if (!lost_any)
        return repair;
    return mark(disk, paths, sequence, repair.revision)
        .map([&] { return std::move(repair); })
        .map_error(line);
}

} // namespace coordination
