#include "persist/wal/inspect.hpp"

#include <fmt/format.h>

#include <utility>

namespace coordination {
namespace {

using Kind = Sight::Kind;

/// Looks through the segments, whatever a start would make of them.
class LogView {
public:
    LogView(Disk& disk, const std::function<void(const Sight&)>& see) : disk_(disk), see_(see) {}

    void look(const std::vector<SegmentName>& names);

private:
    struct Segment {
        SegmentName name;
        std::string bytes;
        tl::expected<SegmentHeader, HeaderFault> header;
    };

    std::optional<Segment> read(const SegmentName& name);
    void look(const Segment& segment, const Segment* next);
    void look_behind(const Segment& segment, const WalkEnd& bad, bool last);
    void show(const Segment& segment, const Record& record);

    Disk& disk_;
    const std::function<void(const Sight&)>& see_;
};

std::optional<LogView::Segment> LogView::read(const SegmentName& name)
{
    auto bytes = read_file(disk_, name.path);
    if (!bytes) {
        see_({.kind = Kind::damage, .file = name.path, .what = bytes.error().text()});
        return std::nullopt;
    }
    auto header = read_header(*bytes);
    return Segment{name, std::move(*bytes), std::move(header)};
}

/// One in memory, and the next, whose header says where this one ends.
void LogView::look(const std::vector<SegmentName>& names)
{
    std::optional<Segment> present;
    for (const auto& name : names) {
        auto next = read(name);
        if (present)
            look(*present, next ? &*next : nullptr);
        present = std::move(next);
    }
    if (present)
        look(*present, nullptr);
}

void LogView::look(const Segment& segment, const Segment* next)
{
    const auto& [name, bytes, header] = segment;
    if (!header) {
        see_({.kind = Kind::damage, .file = name.path, .bytes = bytes.size(), .what = header.error().what});
        return;
    }
    see_({.kind = Kind::segment,
          .file = name.path,
          .bytes = bytes.size(),
          .first = header->continues_from,
          .last = header->starts_at,
          .what = header->synced_first ? "synced before each acknowledgement" : "synced at intervals"});
    const auto limit = next && next->header ? std::optional(next->header->continues_from) : std::nullopt;
    const auto end =
        walk_records(bytes, *header, limit, [&](const Record& record) -> tl::expected<void, std::string> {
            show(segment, record);
            return {};
        });
    if (end.kind == WalkEnd::Kind::limit)
        see_({.kind = Kind::void_rest,
              .file = name.path,
              .offset = end.offset,
              .bytes = bytes.size() - end.offset,
              .what = "replaced by the next segment"});
    else if (end.kind != WalkEnd::Kind::complete)
        look_behind(segment, end, !next);
}

/// What can still be read behind a place that is not good.
void LogView::look_behind(const Segment& segment, const WalkEnd& bad, bool last)
{
    const auto& [name, bytes, header] = segment;
    auto record = find_record(bytes, bad.offset, header->continues_from);
    const bool torn = last && bad.kind == WalkEnd::Kind::bad && !was_synced(bytes, bad);
    see_({.kind = torn ? Kind::torn : Kind::damage,
          .file = name.path,
          .offset = bad.offset,
          .bytes = (record ? record->offset : bytes.size()) - bad.offset,
          .first = bad.revision,
          .last = bad.revision,
          .what = bad.what});
    while (record) {
        show(segment, *record);
        const auto end = record->offset + record->bytes;
        record = find_record(bytes, end, header->continues_from);
        const auto gap_end = record ? record->offset : bytes.size();
        if (gap_end > end)
            see_({.kind = torn ? Kind::torn : Kind::damage,
                  .file = name.path,
                  .offset = end,
                  .bytes = gap_end - end,
                  .what = "no whole record is there"});
    }
}

void LogView::show(const Segment& segment, const Record& record)
{
    see_({.kind = Kind::record,
          .file = segment.name.path,
          .offset = record.offset,
          .bytes = record.bytes,
          .first = record.first,
          .last = record.last,
          .payload = record.payload});
}

} // namespace

Inspection inspect_state(Disk& disk, const StatePaths& paths, const Limits& limits,
                         const std::function<void(const Sight&)>& see)
{
    Inspection inspection;
    StateStore store(limits);
    const auto state = read_state(disk, paths, limits, store);
    if (state && state->snapshot)
        see({.kind = Kind::snapshot,
             .file = paths.snapshot,
             .last = state->snapshot->header.revision,
             .what = fmt::format("{} workers, {} tasks", state->snapshot->workers, state->snapshot->tasks)});
    const auto names = list_segments(disk, paths.log);
    if (names)
        LogView(disk, see).look(*names);
    if (!state)
        inspection.fault = state.error().line;
    inspection.revision = store.revision();
    inspection.workers = store.workers().size();
    inspection.tasks = store.tasks().size();
    return inspection;
}

} // namespace coordination
