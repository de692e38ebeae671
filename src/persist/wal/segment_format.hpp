#pragma once

#include "core/types.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coordination {

/// The log is a row of segments, `<path>.<sequence, 8 digits>`, each a header and records back to back, all
/// numbers little-endian:
///
///     header   "coordwal" | version u32 | flags u32 | sequence u64 | continues from u64 | starts at u64 |
///              checksum u64 of what is before it
///     record   checksum u64 of what is behind it | length u64 of it all | first revision u64 | last revision
///              u64 | synced up to u64 | payload (see changes.hpp)
///
/// One record holds the changes of whole transactions, and is taken whole or not at all. A segment is
/// complete on the disk before it gets its name, is written by one process, and never again once that has
/// ended or a write or sync of it has failed: a fresh one follows, and tells how far its predecessors count.
///
/// Tail     Writes that were not synced may be lost in any order, so behind a lost record there may be whole
///          ones. Each tells what was synced before it was written: that, and only that, shows whether what
///          is missing before it had been on the disk.
/// Upgrades Magic and version stay where they are in every version.
namespace segment_format {

inline constexpr std::string_view magic = "coordwal";
inline constexpr std::uint32_t version = 2; ///< 1 knew no messages
inline constexpr std::size_t header_bytes = 48;
inline constexpr std::size_t record_header_bytes = 40;

} // namespace segment_format

struct SegmentHeader {
    std::uint64_t sequence = 0;  ///< that of its name
    Revision continues_from = 0; ///< what earlier segments hold beyond it is void
    Revision starts_at = 0;    ///< its first record comes right behind; above the former where revisions jump
    bool synced_first = false; ///< nobody was told of its changes before they were synced

    friend bool operator==(const SegmentHeader&, const SegmentHeader&) noexcept = default;
};

void append_header(std::string& out, const SegmentHeader& header);

struct HeaderFault {
    bool newer_version = false; ///< not damaged, but nothing that we can read
    std::string what;
};

/// The header that `bytes` begin with.
tl::expected<SegmentHeader, HeaderFault> read_header(std::string_view bytes);

struct Record {
    std::size_t offset = 0; ///< in the text it was read from
    std::size_t bytes = 0;  ///< header and payload
    Revision first = 0;
    Revision last = 0;
    Revision synced = 0; ///< what was on the disk for certain when this was written
    std::string_view payload{};
};

/// Begins a record at the end of `out`; the payload is then appended, and end_record() called.
void begin_record(std::string& out, Revision first, Revision last);
/// `begin`: where it began in `out`. It still lacks its checksum: see seal_records().
void end_record(std::string& out, std::size_t begin);
/// Completes records that lie back to back.
void seal_records(std::string& records, Revision synced);

/// The record that lies at `offset`; none where there is no whole one. Good as long as `bytes`.
std::optional<Record> record_at(std::string_view bytes, std::size_t offset);

/// The first whole record at or behind `offset`, wherever it begins, among those of revisions above `beyond`.
std::optional<Record> find_record(std::string_view bytes, std::size_t offset, Revision beyond);

} // namespace coordination
