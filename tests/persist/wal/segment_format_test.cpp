#include "persist/wal/segment_format.hpp"

#include "persist/wal/record_walk.hpp"

#include <catch2/catch.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <vector>

using namespace coordination;

namespace {

/// A record with this payload, sealed.
std::string record(Revision first, Revision last, std::string_view payload, Revision synced)
{
    std::string text;
    begin_record(text, first, last);
    text += payload;
    end_record(text, 0);
    seal_records(text, synced);
    return text;
}

constexpr SegmentHeader header{.sequence = 7, .continues_from = 20, .starts_at = 30, .synced_first = true};

std::string segment(const std::string& records)
{
    std::string text;
    append_header(text, header);
    return text + records;
}

struct Walked {
    std::vector<Revision> lasts;
    WalkEnd end;
};

Walked walk(const std::string& text, std::optional<Revision> limit = {})
{
    Walked walked;
    walked.end =
        walk_records(text, header, limit, [&](const Record& found) -> tl::expected<void, std::string> {
            walked.lasts.push_back(found.last);
            return {};
        });
    return walked;
}

using Kind = WalkEnd::Kind;

} // namespace

TEST_CASE("a segment's header is read as it was written, and not with any bit changed", "[wal][format]")
{
    const auto text = segment("");
    REQUIRE(text.size() == segment_format::header_bytes);
    REQUIRE(read_header(text));
    CHECK(*read_header(text) == header);
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        auto changed = text;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        INFO("bit " << bit);
        CHECK_FALSE(read_header(changed));
    }
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK_FALSE(read_header(text.substr(0, size)));
}

TEST_CASE("a segment of version 1, which knew no messages, is read", "[wal][format]")
{
    auto text = segment("");
    text[8] = 1;
    const std::uint64_t checksum = XXH3_64bits(text.data(), text.size() - 8);
    for (std::size_t i = 0; i < 8; ++i)
        text[text.size() - 8 + i] = static_cast<char>(checksum >> (8 * i) & 0xFF);
    const auto read = read_header(text);
    REQUIRE(read);
    CHECK(*read == header);
}

TEST_CASE("a segment of a newer version is refused as such, whatever else is in it", "[wal][format]")
{
    auto text = segment("");
    text[8] = 3;
    const auto read = read_header(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().newer_version);
    CHECK(read.error().what == "its format has version 3, and this daemon reads versions up to 2");
}

TEST_CASE("a record is read as it was written, and not with any bit changed or byte missing", "[wal][format]")
{
    const auto text = record(5, 9, "what happened", 4);
    const auto read = record_at(text, 0);
    REQUIRE(read);
    CHECK(read->first == 5);
    CHECK(read->last == 9);
    CHECK(read->synced == 4);
    CHECK(read->payload == "what happened");
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        auto changed = text;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        INFO("bit " << bit);
        CHECK_FALSE(record_at(changed, 0));
    }
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK_FALSE(record_at(text.substr(0, size), 0));
}

TEST_CASE("zeros are no record, however many", "[wal][format]")
{
    const std::string zeros(4096, '\0');
    CHECK_FALSE(record_at(zeros, 0));
    CHECK_FALSE(find_record(zeros, 0, 0));
}

TEST_CASE("records are found wherever they begin, but not older ones", "[wal][format]")
{
    const auto text = std::string(13, 'x') + record(31, 31, "a", 30) + "junk" + record(32, 33, "b", 31);
    const auto first = find_record(text, 0, 30);
    REQUIRE(first);
    CHECK(first->offset == 13);
    const auto second = find_record(text, first->offset + first->bytes, 30);
    REQUIRE(second);
    CHECK(second->payload == "b");
    CHECK(find_record(text, 0, 31)->payload == "b");
}

TEST_CASE("a walk hands out records in order up to the limit, and says where it ended", "[wal][format]")
{
    const auto one = record(31, 32, "one", 30);
    const auto two = record(33, 33, "two", 32);
    const auto text = segment(one + two);
    const auto whole = walk(text);
    CHECK(whole.lasts == std::vector<Revision>{32, 33});
    CHECK(whole.end.kind == Kind::complete);
    CHECK(whole.end.revision == 33);

    CHECK(walk(text, 33).end.kind == Kind::complete);
    const auto limited = walk(text, 32);
    CHECK(limited.lasts == std::vector<Revision>{32});
    CHECK(limited.end.kind == Kind::limit);
    CHECK(walk(segment(one + "whatever"), 32).end.kind == Kind::limit);
    CHECK(walk(text, 31).end.kind == Kind::wrong); // within the first
    CHECK(walk(text, 34).end.kind == Kind::bad);   // it is not all there
    CHECK(walk(segment(two)).end.kind == Kind::wrong);
    CHECK(walk(segment(one + one)).end.kind == Kind::wrong);
    const auto torn = walk(segment(one + two.substr(0, two.size() - 1)));
    CHECK(torn.end.kind == Kind::bad);
    CHECK(torn.end.offset == segment("").size() + one.size());
    CHECK(torn.end.revision == 32);
}

TEST_CASE("a lost record counts as damage only where a later one shows that it had been synced",
          "[wal][format]")
{
    const auto one = record(31, 32, "one", 30);
    const std::string lost(50, '\0');
    const auto verdict = [&](const std::string& behind) {
        const auto text = segment(one + lost + behind);
        return was_synced(text, walk(text).end);
    };
    CHECK_FALSE(verdict(""));
    CHECK_FALSE(verdict("more junk"));
    CHECK_FALSE(verdict(record(34, 35, "same sync", 30) + record(36, 36, "same sync", 32)));
    CHECK(verdict(record(34, 34, "the sync after", 33)));
    CHECK(verdict(record(34, 35, "same sync", 32) + "junk" + record(36, 36, "the sync after", 33)));
}
