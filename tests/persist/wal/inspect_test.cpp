#include "persist/wal/inspect.hpp"

#include "persist/wal/small_log.hpp"

#include <algorithm>
#include <map>

using namespace coordination;
using namespace coordination::testing;

namespace {

struct Looked {
    explicit Looked(FaultyDisk& disk)
    {
        inspection = inspect_state(disk, state_paths, Limits{}, [this](const Sight& sight) {
            ++count[sight.kind];
            if (sight.kind == Sight::Kind::record)
                lasts.push_back(sight.last);
        });
    }

    std::map<Sight::Kind, int> count;
    std::vector<Revision> lasts;
    Inspection inspection;
};

using Kind = Sight::Kind;

} // namespace

TEST_CASE("a good state is seen whole: the snapshot, each segment, each record", "[wal][inspect]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    Opened log(disk);
    for (int call = 0; call < 10; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
    for (int call = 0; call < 20; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(log.journal->close());
    Looked looked(disk);
    CHECK(looked.inspection.fault == "");
    CHECK(looked.inspection.revision == rig.revision());
    CHECK(looked.inspection.tasks == rig.calls.store().tasks().size());
    CHECK(looked.inspection.workers == rig.calls.store().workers().size());
    CHECK(looked.count[Kind::snapshot] == 1);
    CHECK(looked.count[Kind::segment] == static_cast<int>(segments_on(disk).size()));
    CHECK(looked.count[Kind::record] == 20);
    CHECK(looked.count[Kind::torn] + looked.count[Kind::damage] + looked.count[Kind::void_rest] == 0);
    CHECK(looked.lasts.back() == rig.revision());
}

TEST_CASE("what can be read behind a damage is seen all the same", "[wal][inspect]")
{
    SmallLog log(1, 6, 1 << 20);
    auto text = *log.disk.content(log.segments.front());
    const auto first = record_at(text, segment_format::header_bytes);
    REQUIRE(first);
    text[first->bytes + segment_format::header_bytes + segment_format::record_header_bytes] ^=
        1; // of the second
    const auto disk = log.with(log.segments.front(), text);
    Looked looked(*disk);
    CHECK(looked.inspection.fault != "");
    CHECK(looked.count[Kind::damage] == 1);
    CHECK(looked.count[Kind::record] == 5);
}

TEST_CASE("a repair makes every flipped byte of the log startable, keeping what is before it and a copy of "
          "the rest",
          "[wal][inspect]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    SmallLog log(seed, 16);
    int repaired = 0;
    for (const auto& path : log.segments) {
        const auto text = *log.disk.content(path);
        for (std::size_t at = 0; at < text.size(); at += 1 + log.rig.calls.below(7)) {
            INFO("byte " << at << " of " << path);
            auto flipped = text;
            flipped[at] = static_cast<char>(flipped[at] ^ static_cast<char>(1 + log.rig.calls.below(255)));
            const auto disk = log.with(path, flipped);
            const Looked before(*disk);
            CHECK(before.inspection.fault.empty() == Found(*disk->after_kill()).recovery.has_value());
            if (before.inspection.fault.empty() ||
                before.inspection.fault.find("version") != std::string::npos)
                continue;
            const auto repair = repair_state(*disk, state_paths, Limits{});
            REQUIRE(repair);
            REQUIRE(repair->needed);
            ++repaired;
            const Found found(*disk);
            REQUIRE(found.recovery);
            CHECK(found.recovery->revision == repair->revision);
            CHECK(found.text == log.rig.at(repair->revision));
            CHECK(found.recovery->may_have_lost); // revisions must not be given out again
            CHECK(disk->content(path + ".damaged") == flipped);
        }
    }
    CHECK(repaired > 10);
}

TEST_CASE("what is good is not repaired, nor what a newer daemon wrote", "[wal][inspect]")
{
    SmallLog log(1, 6);
    const auto untouched = repair_state(log.disk, state_paths, Limits{});
    REQUIRE(untouched);
    CHECK_FALSE(untouched->needed);
    CHECK(untouched->revision == log.rig.revision());
    CHECK(segments_on(log.disk) == log.segments);

    auto newer = *log.disk.content(log.segments.back());
    newer[8] = 3;
    const auto disk = log.with(log.segments.back(), newer);
    const auto refused = repair_state(*disk, state_paths, Limits{});
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error(), Catch::Contains("has version 3"));
    CHECK(disk->content(log.segments.back()) == newer);
}

TEST_CASE("a power loss in the middle of a repair loses nothing of the good part", "[wal][inspect]")
{
    SmallLog log(1, 12);
    REQUIRE(log.segments.size() >= 2);
    const auto& path = log.segments.front();
    auto text = *log.disk.content(path);
    text.resize(text.size() - 1);
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("power gone at disk call " << call);
        const auto disk = log.with(path, text);
        disk->cut_power_at(call);
        const auto repair = repair_state(*disk, state_paths, Limits{});
        fired = disk->fired();
        for (const bool names_kept : {true, false}) {
            const auto left = disk->after_power_loss(FaultyDisk::Unsynced::kept, names_kept);
            const auto again = repair_state(*left, state_paths, Limits{});
            REQUIRE(again);
            const Found found(*left);
            REQUIRE(found.recovery);
            CHECK(found.text == log.rig.at(again->revision));
            CHECK(again->revision > 0);
        }
    }
}

TEST_CASE("a repair takes out a damaged segment that the snapshot makes superfluous, and nothing behind it",
          "[wal][inspect]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk);
    for (int call = 0; call < 5; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    const auto stale = segments_on(disk).front();
    const auto text = *disk.content(stale);
    disk.fail_all("remove", EIO); // the snapshot leaves it behind
    REQUIRE_FALSE(take_snapshot(*log.journal, rig.calls.store()));
    disk.heal();
    for (int call = 0; call < 5; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(log.journal->close());

    auto damaged = text;
    damaged[20] ^= 1;
    disk.put(stale, damaged);
    const auto repair = repair_state(disk, state_paths, Limits{});
    REQUIRE(repair);
    CHECK(repair->needed);
    CHECK(repair->revision == rig.revision());
    CHECK(disk.content(stale + ".damaged") == damaged);
    CHECK(Found(disk).text == rig.at(rig.revision()));
}
