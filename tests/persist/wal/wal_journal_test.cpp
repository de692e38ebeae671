#include "persist/wal/wal_journal.hpp"

#include "persist/wal/opened.hpp"

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

WalOptions synced_each(std::chrono::milliseconds interval)
{
    auto options = small_log();
    options.sync_interval = interval;
    return options;
}

constexpr auto never = std::chrono::hours(1);

} // namespace

TEST_CASE("with sync interval 0 nothing counts as reached before it is synced", "[wal]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk);
    CHECK(log.journal->level() == Durability::disk);
    Gate gate(disk, "sync");
    rig.step(log.journal.get());
    gate.await_arrival();
    CHECK(log.journal->progress().reached == 0);
    gate.open();
    log.await([&](const JournalProgress& come) { return come.reached == rig.revision(); });
    CHECK(log.journal->progress().synced == rig.revision());
}

TEST_CASE("all that waits for the disk goes out in one write and one sync", "[wal]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk);
    Gate gate(disk, "sync");
    rig.step(log.journal.get());
    gate.await_arrival();
    for (int call = 0; call < 50; ++call)
        rig.step(log.journal.get());
    gate.open();
    CHECK(rig.settle(*log.journal, log.moves));
    const auto counters = log.journal->counters();
    CHECK(counters.writes == 51);
    CHECK(counters.syncs == 2);
    CHECK(counters.last_sync.has_value());
    CHECK(counters.bytes > 51 * segment_format::record_header_bytes);
}

TEST_CASE("with an interval a change counts once it is written, and is synced when the interval has passed",
          "[wal]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk, synced_each(std::chrono::milliseconds(1)));
    CHECK(log.journal->level() == Durability::os);
    Gate gate(disk, "sync");
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    gate.await_arrival(); // by itself
    CHECK(log.journal->progress().synced == 0);
    CHECK(Found(*disk.after_kill()).text == rig.at(rig.revision()));
    gate.open();
    log.await([&](const JournalProgress& come) { return come.synced == rig.revision(); });
    CHECK(Found(*disk.after_power_loss(FaultyDisk::Unsynced::lost, true)).text == rig.at(rig.revision()));
}

TEST_CASE("closing makes the rest durable, and lets the next one in", "[wal]")
{
    FaultyDisk disk;
    Rig rig(1);
    {
        Opened log(disk, synced_each(never));
        StateStore other(Limits{});
        const auto second = WalJournal(disk, small_log()).recover(other);
        REQUIRE_FALSE(second);
        CHECK_THAT(second.error(), Catch::Contains("another daemon"));
        for (int call = 0; call < 10; ++call)
            rig.step(log.journal.get());
        CHECK(log.journal->close());
    }
    const auto disk_after = disk.after_power_loss(FaultyDisk::Unsynced::lost, true);
    Opened next(*disk_after);
    CHECK(dump(next.found) == rig.at(rig.revision()));
    CHECK(next.recovery.may_have_lost); // a sync may have been missing, for all that it knows
}

TEST_CASE("each start begins a segment of its own, and revisions may jump at it", "[wal]")
{
    FaultyDisk disk;
    Rig rig(1);
    for (int start = 0; start < 4; ++start) {
        WalJournal journal(disk, small_log());
        StateStore found(Limits{});
        const auto read = journal.recover(found);
        REQUIRE(read);
        CHECK(dump(found) == rig.at(rig.revision()));
        CHECK_FALSE(read->may_have_lost);
        Moves moves;
        rig.jump_to(read->revision + 1000);
        REQUIRE(journal.open(rig.revision(), moves.listener()));
        CHECK(journal.progress().reached == rig.revision());
        if (start != 1) // one that writes nothing keeps the jump all the same
            REQUIRE(rig.step_and_wait(journal, moves));
    }
    CHECK(segments_on(disk).size() == 4 + 2); // what the first and the third wrote was written anew
}

TEST_CASE("what a crash left unfinished beside the log is removed at the next start", "[wal]")
{
    FaultyDisk disk;
    disk.put("data/wal.log.00000001.tmp", "half a segment");
    disk.put("data/state-snapshot.json.tmp", "half a snapshot");
    disk.put("data/wal.log.notes.tmp", "not ours");
    const Opened log(disk);
    CHECK_FALSE(disk.content("data/wal.log.00000001.tmp"));
    CHECK_FALSE(disk.content("data/state-snapshot.json.tmp"));
    CHECK(disk.content("data/wal.log.notes.tmp"));
}

TEST_CASE("after a failed sync the same bytes are never relied on again", "[wal][faults]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk, synced_each(never));
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    const auto reached = rig.revision();
    const auto first_segment = segments_on(disk).back();

    disk.fail_all("sync", EIO);
    auto options = synced_each(never);
    const auto refused = take_snapshot(*log.journal, rig.calls.store()); // must sync first
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error(), Catch::Contains("cannot sync " + first_segment));
    CHECK_THAT(log.journal->progress().failure, Catch::Contains("dmesg"));
    rig.step(log.journal.get()); // before the owner has heard of it: void
    rig.take_back_to(reached);
    log.journal->rewind();
    CHECK(log.journal->progress().reached == reached);

    disk.heal();
    log.await_recovery();
    CHECK(log.journal->progress().synced == reached);
    // The old segment may have lost all of it: the new one does not rest on it.
    auto lost = disk.after_kill();
    lost->put(first_segment, disk.content(first_segment)->substr(0, segment_format::header_bytes));
    CHECK(Found(*lost).text == rig.at(reached));
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(log.journal->close());
    CHECK(Found(disk).text == rig.at(rig.revision()));
}

TEST_CASE("a failure stays until what was void has been taken back", "[wal][faults]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk);
    disk.fail_all("sync", EIO);
    rig.step(log.journal.get());
    log.await([](const JournalProgress& come) { return !come.failure.empty(); });
    const auto segments = segments_on(disk).size();
    disk.heal();
    const auto second = segment_path(state_paths.log, segments + 1);
    for (int look = 0; look < 100 && !disk.content(second); ++look) // the fresh segment is there soon
        log.await([](const JournalProgress&) { return true; });
    CHECK_FALSE(log.journal->progress().failure.empty());
    rig.take_back_to(0);
    log.journal->rewind();
    log.await_recovery();
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    CHECK(Found(*disk.after_kill()).text == rig.at(rig.revision()));
}
