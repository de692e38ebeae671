#include "persist/wal/small_log.hpp"

#include <set>

using namespace coordination;
using namespace coordination::testing;

namespace {

/// Either the start is refused in one line that names the file, or it finds a state that once was, and all
/// that is left of the log can be started from again.
void check_start(SmallLog& log, FaultyDisk& disk, const std::string& path)
{
    const Found found(disk);
    if (!found.recovery) {
        CHECK_THAT(found.recovery.error(), Catch::Contains(path) && !Catch::Contains("\n"));
        return;
    }
    REQUIRE(found.text == log.rig.at(found.recovery->revision));
    const Found again(disk);
    REQUIRE(again.recovery);
    CHECK(again.text == found.text);
    CHECK_FALSE(again.recovery->tail_cut);
}

} // namespace

TEST_CASE("the last segment cut anywhere is a torn tail: what was whole is there, and it is said",
          "[wal][damage]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    SmallLog log(seed, 12, 1 << 20);
    const auto path = log.segments.back();
    const auto text = *log.disk.content(path);
    std::set<Revision> found_at;
    for (std::size_t size = segment_format::header_bytes; size <= text.size(); ++size) {
        INFO("cut to " << size << " of " << text.size() << " bytes");
        const auto disk = log.with(path, text.substr(0, size));
        const Found found(*disk);
        REQUIRE(found.recovery);
        REQUIRE(found.text == log.rig.at(found.recovery->revision));
        found_at.insert(found.recovery->revision);
        CHECK(found.recovery->tail_cut == !found.recovery->notes.empty());
        CHECK(found.recovery->may_have_lost == found.recovery->tail_cut);
        CHECK(disk->content(path)->size() <= size);
        CHECK(found.recovery->tail_cut == (disk->content(path)->size() < size));
    }
    CHECK(found_at.contains(log.rig.revision()));
    CHECK(found_at.size() > 1);
}

TEST_CASE("an earlier segment cut anywhere, or gone, stops the start", "[wal][damage]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    SmallLog log(seed, 30);
    REQUIRE(log.segments.size() >= 3);
    const auto path = log.segments[log.segments.size() - 2];
    const auto text = *log.disk.content(path);
    for (std::size_t size = 0; size < text.size(); ++size) {
        INFO("cut to " << size << " of " << text.size() << " bytes");
        const Found found(*log.with(path, text.substr(0, size)));
        REQUIRE_FALSE(found.recovery);
        CHECK_THAT(found.recovery.error(),
                   Catch::Contains(path) && Catch::Contains("coordctl state repair data"));
    }
    const auto without = log.disk.after_kill();
    REQUIRE(without->remove(path));
    const Found found(*without);
    REQUIRE_FALSE(found.recovery);
    CHECK_THAT(found.recovery.error(), Catch::Contains(log.segments.back()) && Catch::Contains("is missing"));
}

TEST_CASE("any byte of the log flipped gives a state that once was, or a refusal that names the file",
          "[wal][damage]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    SmallLog log(seed, 16);
    for (const auto& path : log.segments) {
        const auto text = *log.disk.content(path);
        for (std::size_t at = 0; at < text.size(); ++at) {
            INFO("byte " << at << " of " << path);
            auto flipped = text;
            flipped[at] = static_cast<char>(flipped[at] ^ static_cast<char>(1 + log.rig.calls.below(255)));
            check_start(log, *log.with(path, flipped), path);
        }
    }
}

TEST_CASE("a bad record before good ones stops the start and names file, offset and revision",
          "[wal][damage]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    SmallLog log(seed, 3, 1 << 20);
    REQUIRE(log.segments.size() == 1);
    const auto path = log.segments.front();
    auto text = *log.disk.content(path);
    text[segment_format::header_bytes + segment_format::record_header_bytes] ^= 1; // of the first of three
    const Found found(*log.with(path, text));
    REQUIRE_FALSE(found.recovery);
    CHECK_THAT(found.recovery.error(),
               Catch::Contains("data/wal.log.00000001: damaged at byte 48, behind revision 0: ") &&
                   Catch::Contains("coordctl state verify data"));
}

TEST_CASE("a segment of a newer version stops the start, and says which daemon to use", "[wal][damage]")
{
    SmallLog log(1, 2);
    auto text = *log.disk.content(log.segments.back());
    text[8] = 3;
    const Found found(*log.with(log.segments.back(), text));
    REQUIRE_FALSE(found.recovery);
    CHECK(found.recovery.error() == "cannot recover " + log.segments.back() +
                                        ": its format has version 3, and this daemon reads versions up to 2: "
                                        "start the daemon that wrote it, or a newer one");
}

TEST_CASE("a snapshot older than the log, put in place of the right one, stops the start", "[wal][damage]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    Moves moves;
    WalJournal journal(disk, small_log());
    StateStore empty(Limits{});
    REQUIRE(journal.recover(empty));
    REQUIRE(journal.open(0, moves.listener()));
    std::string old_snapshot;
    for (int snapshot = 0; snapshot < 2; ++snapshot) {
        for (int call = 0; call < 5; ++call)
            REQUIRE(rig.step_and_wait(journal, moves));
        old_snapshot = disk.content(state_paths.snapshot).value_or("");
        REQUIRE(take_snapshot(journal, rig.calls.store()));
    }
    REQUIRE(journal.close());
    REQUIRE(Found(disk).text == rig.at(rig.revision()));
    disk.put(state_paths.snapshot, old_snapshot);
    const Found found(disk);
    REQUIRE_FALSE(found.recovery);
    CHECK_THAT(found.recovery.error(), Catch::Contains("what comes before it is missing"));
}
