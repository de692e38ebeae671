#include "persist/wal/read_state.hpp"

#include "persist/snapshot/damage.hpp"
#include "persist/wal/changes.hpp"
#include "persist/wal/record_walk.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace coordination {
namespace {

/// One reading, from the snapshot to the end of the log.
class StateReader {
public:
    StateReader(Disk& disk, const StatePaths& paths, StateStore& store, ReadState& state)
        : disk_(disk),
          paths_(paths),
          store_(store),
          replay_(store),
          state_(state)
    {
    }

    tl::expected<void, StateFault> read_log();

private:
    using Step = tl::expected<void, StateFault>;

    Step read_segment(std::size_t index);
    Step end_segment(std::size_t index, std::string_view bytes, WalkEnd end);
    tl::expected<void, std::string> repeat(const Record& record);
    tl::unexpected<StateFault> damage(std::size_t index, std::size_t offset, Revision behind,
                                      const std::string& what) const;
    std::string how_we_know(std::size_t index, bool at_end) const;
    bool is_last(std::size_t index) const { return index + 1 == state_.segments.size(); }

    Disk& disk_;
    const StatePaths& paths_;
    StateStore& store_;
    Replay replay_;
    ReadState& state_;
};

std::string advice(const StatePaths& paths)
{
    const auto directory = directory_of(paths.log);
    auto place = directory;
    if (paths.snapshot != directory + "/state-snapshot.json" || paths.log != directory + "/wal.log")
        place += " --snapshot-path " + paths.snapshot + " --wal-path " + paths.log;
    return fmt::format("restore a copy, or look with 'coordctl state verify {0}' and keep what is before it "
                       "with 'coordctl state repair {0}'",
                       place);
}

StateFault damaged_segment(const SegmentName& segment, StateFault::Place place, Revision behind,
                           const std::string& what, const StatePaths& paths)
{
    return {.line = fmt::format("cannot recover {}: damaged at byte {}, behind revision {}: {}: {}",
                                segment.path, place.offset, behind, what, advice(paths)),
            .cut_at = place};
}

DiskResult<std::string> read_beginning(Disk& disk, const std::string& path)
{
    std::array<char, segment_format::header_bytes> buffer{};
    auto file = disk.open(path, OpenMode::read);
    if (!file)
        return tl::unexpected(file.error());
    std::string text;
    while (text.size() < buffer.size()) {
        const auto got = (*file)->read(std::span(buffer).first(buffer.size() - text.size()));
        if (!got)
            return tl::unexpected(got.error());
        if (*got == 0)
            break;
        text.append(buffer.data(), *got);
    }
    return text;
}

tl::unexpected<StateFault> StateReader::damage(std::size_t index, std::size_t offset, Revision behind,
                                               const std::string& what) const
{
    return tl::unexpected(
        damaged_segment(state_.segments[index].name, {index, offset}, behind, what, paths_));
}

StateReader::Step StateReader::read_log()
{
    for (std::size_t index = 0; index < state_.segments.size(); ++index) {
        auto read = read_segment(index);
        if (!read)
            return read;
    }
    const auto agrees = replay_.check();
    if (!agrees)
        return tl::unexpected(
            StateFault{fmt::format("cannot recover {}: the log ends in a state that cannot be: {}: {}",
                                   paths_.log, on_one_line(agrees.error()), advice(paths_)),
                       std::nullopt});
    return {};
}

StateReader::Step StateReader::read_segment(std::size_t index)
{
    const auto& [name, header] = state_.segments[index];
    const auto limit =
        is_last(index) ? std::nullopt : std::optional(state_.segments[index + 1].header.continues_from);
    if (limit && *limit <= store_.revision())
        return {}; // all of it is in the snapshot
    if (header.continues_from > store_.revision())
        return damage(index, 0, store_.revision(),
                      fmt::format("it goes on from revision {}, and what comes before it is missing",
                                  header.continues_from));
    if (header.starts_at > store_.revision()) {
        if (header.continues_from != store_.revision())
            return damage(index, 0, store_.revision(),
                          fmt::format("it replaces what comes behind revision {}", header.continues_from));
        store_.continue_from(header.starts_at);
    }
    const auto bytes = read_file(disk_, name.path);
    if (!bytes)
        return tl::unexpected(StateFault{bytes.error().text(), std::nullopt});
    auto end = walk_records(*bytes, header, limit, [this](const Record& record) { return repeat(record); });
    return end_segment(index, *bytes, std::move(end));
}

tl::expected<void, std::string> StateReader::repeat(const Record& record)
{
    if (record.last <= store_.revision())
        return {}; // it is in the snapshot
    if (record.first != store_.revision() + 1)
        return tl::unexpected(
            fmt::format("the snapshot, at revision {}, ends within a record", store_.revision()));
    state_.log_bytes += record.bytes;
    return replay_.apply(record.payload, record.first, record.last);
}

StateReader::Step StateReader::end_segment(std::size_t index, std::string_view bytes, WalkEnd end)
{
    const bool stopped = end.kind == WalkEnd::Kind::bad || end.kind == WalkEnd::Kind::wrong;
    const bool torn = end.kind == WalkEnd::Kind::bad && is_last(index) && !was_synced(bytes, end);
    if (stopped && !torn) {
        if (end.kind == WalkEnd::Kind::bad)
            end.what += how_we_know(index, bytes.size() == end.offset);
        return damage(index, end.offset, end.revision, end.what);
    }
    if (is_last(index)) {
        if (torn)
            state_.torn = {end.offset, bytes.size() - end.offset};
        const auto& header = state_.segments[index].header;
        const auto unsynced = unsynced_records(bytes, header, end);
        if (!unsynced.records.empty())
            state_.unsynced = {unsynced.behind, std::string(unsynced.records)};
        state_.complete = header.synced_first && !torn && end.revision == store_.revision();
    }
    return {};
}

/// Why what is missing behind a segment's good part is no torn tail.
std::string StateReader::how_we_know(std::size_t index, bool at_end) const
{
    if (is_last(index))
        return ", and later records show that one had been";
    const auto& next = state_.segments[index + 1].name;
    if (at_end && next.sequence != state_.segments[index].name.sequence + 1)
        return fmt::format(", and what follows up to {} is missing", next.path);
    return fmt::format(", and {} shows that one had been", next.path);
}

} // namespace

tl::expected<std::vector<SegmentOnDisk>, StateFault> read_headers(Disk& disk, const StatePaths& paths)
{
    const auto fault = [](std::string line) {
        return tl::unexpected(StateFault{std::move(line), std::nullopt});
    };
    const auto names = list_segments(disk, paths.log);
    if (!names)
        return fault(names.error().text());
    std::vector<SegmentOnDisk> segments;
    Revision behind = 0;
    for (const auto& name : *names) {
        const auto damage = [&](const std::string& what) {
            return tl::unexpected(damaged_segment(name, {segments.size(), 0}, behind, what, paths));
        };
        const auto beginning = read_beginning(disk, name.path);
        if (!beginning)
            return fault(beginning.error().text());
        const auto header = read_header(*beginning);
        if (!header && header.error().newer_version)
            return fault(fmt::format("cannot recover {}: {}: start the daemon that wrote it, or a newer one",
                                     name.path, header.error().what));
        if (!header)
            return damage(header.error().what);
        if (header->sequence != name.sequence)
            return damage(fmt::format("it is segment {} under another's name", header->sequence));
        if (header->continues_from < behind)
            return damage("it goes on from before the segment that precedes it");
        behind = header->continues_from;
        segments.push_back({name, *header});
    }
    return segments;
}

tl::expected<ReadState, StateFault> read_state(Disk& disk, const StatePaths& paths, const Limits& limits,
                                               StateStore& store)
{
    ReadState state;
    auto snapshot = load_snapshot(disk, paths.snapshot, limits, store);
    if (!snapshot)
        return tl::unexpected(StateFault{std::move(snapshot.error()), std::nullopt});
    state.snapshot = std::move(*snapshot);
    auto segments = read_headers(disk, paths);
    if (!segments)
        return tl::unexpected(std::move(segments.error()));
    state.segments = std::move(*segments);
    state.complete = !state.snapshot && state.segments.empty();
    const auto read = StateReader(disk, paths, store, state).read_log();
    if (!read)
        return tl::unexpected(read.error());
    state.revision = store.revision();
    return state;
}

} // namespace coordination
