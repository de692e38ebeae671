#include "persist/wal/record_walk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace coordination {

WalkEnd walk_records(std::string_view bytes, const SegmentHeader& header, std::optional<Revision> limit,
                     const std::function<tl::expected<void, std::string>(const Record&)>& use)
{
    using Kind = WalkEnd::Kind;
    WalkEnd at{.offset = segment_format::header_bytes, .revision = header.starts_at};
    const auto end = [&at](Kind kind, std::string what = {}) {
        at.kind = kind;
        at.what = std::move(what);
        return std::move(at);
    };
    for (;;) {
        if (limit && at.revision >= *limit)
            return end(at.offset == bytes.size() ? Kind::complete : Kind::limit);
        if (at.offset == bytes.size() && !limit)
            return end(Kind::complete);
        const auto record = record_at(bytes, at.offset);
        if (!record)
            return end(Kind::bad,
                       at.offset == bytes.size() ? "it ends too early" : "no whole record is there");
        if (record->first != at.revision + 1)
            return end(Kind::wrong, fmt::format("revision {} follows", record->first));
        if (limit && record->last > *limit)
            return end(Kind::wrong,
                       fmt::format("the next segment goes on at revision {}, within a record", *limit + 1));
        auto used = use(*record);
        if (!used)
            return end(Kind::wrong, std::move(used.error()));
        at.revision = record->last;
        at.offset += record->bytes;
    }
}

bool was_synced(std::string_view bytes, const WalkEnd& bad)
{
    auto record = find_record(bytes, bad.offset, bad.revision);
    while (record && record->synced <= bad.revision)
        record = find_record(bytes, record->offset + record->bytes, bad.revision);
    return record.has_value();
}

UnsyncedRecords unsynced_records(std::string_view bytes, const SegmentHeader& header, const WalkEnd& end)
{
    const auto good = bytes.substr(0, end.offset);
    Revision synced = 0;
    for (auto record = record_at(good, segment_format::header_bytes); record;
         record = record_at(good, record->offset + record->bytes))
        synced = std::max(synced, record->synced);
    UnsyncedRecords unsynced{.behind = header.starts_at};
    auto first = record_at(good, segment_format::header_bytes);
    for (; first && first->last <= synced; first = record_at(good, first->offset + first->bytes))
        unsynced.behind = first->last;
    if (first)
        unsynced.records = good.substr(first->offset);
    return unsynced;
}

} // namespace coordination
