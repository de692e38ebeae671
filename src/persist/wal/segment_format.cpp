#include "persist/wal/segment_format.hpp"

#include "persist/wal/bytes.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <cassert>

namespace coordination {
namespace {

constexpr std::uint32_t flag_synced_first = 1;

// Where the fields are.
constexpr std::size_t version_at = 8;
constexpr std::size_t flags_at = 12;
constexpr std::size_t sequence_at = 16;
constexpr std::size_t continues_from_at = 24;
constexpr std::size_t starts_at_at = 32;
constexpr std::size_t header_checksum_at = 40;
constexpr std::size_t length_at = 8; // of a record, as all that follows
constexpr std::size_t first_at = 16;
constexpr std::size_t last_at = 24;
constexpr std::size_t synced_at = 32;

std::uint64_t checksum_of(std::string_view text)
{
    return XXH3_64bits(text.data(), text.size());
}

/// The header of a record, where it makes sense and the text holds as much as it tells.
std::optional<Record> plausible(std::string_view bytes, std::size_t offset)
{
    if (bytes.size() - offset < segment_format::record_header_bytes)
        return std::nullopt;
    const auto length = bytes::get<std::uint64_t>(bytes, offset + length_at);
    if (length < segment_format::record_header_bytes || length > bytes.size() - offset)
        return std::nullopt;
    Record record{.offset = offset,
                  .bytes = static_cast<std::size_t>(length),
                  .first = bytes::get<std::uint64_t>(bytes, offset + first_at),
                  .last = bytes::get<std::uint64_t>(bytes, offset + last_at),
                  .synced = bytes::get<std::uint64_t>(bytes, offset + synced_at)};
    if (record.first == 0 || record.last < record.first || record.synced >= record.first)
        return std::nullopt;
    record.payload = bytes.substr(offset, record.bytes).substr(segment_format::record_header_bytes);
    return record;
}

bool intact(std::string_view bytes, const Record& record)
{
    return bytes::get<std::uint64_t>(bytes, record.offset) ==
           checksum_of(bytes.substr(record.offset, record.bytes).substr(length_at));
}

} // namespace

void append_header(std::string& out, const SegmentHeader& header)
{
    const auto begin = out.size();
    out += segment_format::magic;
    bytes::append(out, segment_format::version);
    bytes::append(out, header.synced_first ? flag_synced_first : std::uint32_t{0});
    bytes::append(out, header.sequence);
    bytes::append(out, header.continues_from);
    bytes::append(out, header.starts_at);
    bytes::append(out, checksum_of(std::string_view(out).substr(begin)));
}

tl::expected<SegmentHeader, HeaderFault> read_header(std::string_view bytes)
{
    const auto damaged = [](std::string what) { return tl::unexpected(HeaderFault{false, std::move(what)}); };
    if (bytes.size() < flags_at || !bytes.starts_with(segment_format::magic))
        return damaged("it does not begin as a segment of the log does");
    const auto version = bytes::get<std::uint32_t>(bytes, version_at);
    if (version > segment_format::version)
        return tl::unexpected(HeaderFault{
            true, fmt::format("its format has version {}, and this daemon reads versions up to {}", version,
                              segment_format::version)});
    if (bytes.size() < segment_format::header_bytes || bytes::get<std::uint64_t>(bytes, header_checksum_at) !=
                                                           checksum_of(bytes.substr(0, header_checksum_at)))
        return damaged("the checksum of its header is wrong");
    const SegmentHeader header{.sequence = bytes::get<std::uint64_t>(bytes, sequence_at),
                               .continues_from = bytes::get<std::uint64_t>(bytes, continues_from_at),
                               .starts_at = bytes::get<std::uint64_t>(bytes, starts_at_at),
                               .synced_first =
                                   (bytes::get<std::uint32_t>(bytes, flags_at) & flag_synced_first) != 0};
    if (version == 0 || header.starts_at < header.continues_from)
        return damaged("its header makes no sense");
    return header;
}

void begin_record(std::string& out, Revision first, Revision last)
{
    assert(first > 0 && first <= last);
    const auto begin = out.size();
    out.resize(begin + segment_format::record_header_bytes);
    bytes::put(out, begin + first_at, first);
    bytes::put(out, begin + last_at, last);
}

void end_record(std::string& out, std::size_t begin)
{
    bytes::put(out, begin + length_at, std::uint64_t{out.size() - begin});
}

void seal_records(std::string& records, Revision synced)
{
    for (std::size_t begin = 0; begin < records.size();) {
        const auto length = bytes::get<std::uint64_t>(records, begin + length_at);
        assert(length >= segment_format::record_header_bytes && length <= records.size() - begin);
        bytes::put(records, begin + synced_at, synced);
        bytes::put(records, begin,
                   checksum_of(std::string_view(records).substr(begin, length).substr(length_at)));
        begin += length;
    }
}

std::optional<Record> record_at(std::string_view bytes, std::size_t offset)
{
    auto record = plausible(bytes, offset);
    if (record && !intact(bytes, *record))
        record.reset();
    return record;
}

std::optional<Record> find_record(std::string_view bytes, std::size_t offset, Revision beyond)
{
    for (; offset + segment_format::record_header_bytes <= bytes.size(); ++offset) {
        auto record = plausible(bytes, offset);
        // Text has nothing that looks like revisions near ours, so that few checksums are worked out in vain.
        if (record && record->first > beyond && record->last - record->first <= record->bytes &&
            intact(bytes, *record))
            return record;
    }
    return std::nullopt;
}

} // namespace coordination
