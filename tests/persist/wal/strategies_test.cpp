#include "persist/memory_journal.hpp"
#include "persist/snapshot_journal.hpp"
#include "persist/wal/opened.hpp"

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

/// A periodic-snapshot daemon at work.
struct Periodic {
    explicit Periodic(FaultyDisk& disk) : found(Limits{}), journal(disk, state_paths, Limits{})
    {
        const auto read = journal.recover(found);
        REQUIRE((read ? "" : read.error()) == std::string{});
        recovery = *read;
    }
    void open(Revision revision) { REQUIRE(journal.open(revision, moves.listener())); }

    StateStore found;
    Recovery recovery;
    Moves moves;
    SnapshotJournal journal;
};

} // namespace

TEST_CASE("in memory everything counts at once, and nothing is kept", "[journal]")
{
    Rig rig(1);
    MemoryJournal journal;
    StateStore store(Limits{});
    REQUIRE(journal.recover(store));
    REQUIRE(journal.open(5, [] {}));
    CHECK(journal.progress().reached == 5);
    rig.step(&journal);
    CHECK(journal.progress().reached == rig.revision());
    CHECK(journal.progress().synced == 0);
    CHECK(journal.put_snapshot(rig.revision()) == nullptr);
}

TEST_CASE("a snapshot from which a start went on is still there after the power has gone", "[journal]")
{
    FaultyDisk disk;
    Rig rig(1);
    Periodic daemon(disk);
    daemon.open(0);
    rig.step(&daemon.journal);
    REQUIRE(take_snapshot(daemon.journal, rig.calls.store()));
    rig.step(&daemon.journal);
    disk.fail_all("sync directory", EIO); // it has its name, as far as the kernel knows
    REQUIRE_FALSE(take_snapshot(daemon.journal, rig.calls.store()));
    const auto left = disk.after_kill();
    const Periodic next(*left);
    CHECK(next.recovery.revision == rig.revision());
    CHECK(Found(*left->after_power_loss(FaultyDisk::Unsynced::lost, false)).text == rig.at(rig.revision()));
}

TEST_CASE("periodic snapshots: everything counts at once, a snapshot is what is found again", "[journal]")
{
    FaultyDisk disk;
    Rig rig(1);
    {
        Periodic daemon(disk);
        daemon.open(0);
        CHECK(daemon.journal.level() == Durability::memory);
        rig.step(&daemon.journal);
        REQUIRE(take_snapshot(daemon.journal, rig.calls.store()));
        CHECK(daemon.journal.progress().synced == rig.revision());
        CHECK_FALSE(daemon.journal.progress().unsynced_since);
        rig.step(&daemon.journal);
        CHECK(daemon.journal.progress().reached == rig.revision());
        CHECK(daemon.journal.progress().synced < rig.revision());
        CHECK(daemon.journal.progress().unsynced_since);
        REQUIRE(daemon.journal.close());
    }
    Periodic next(disk);
    CHECK(dump(next.found) == rig.at(next.recovery.revision));
    CHECK(next.recovery.may_have_lost);
    CHECK(segments_on(disk).empty());
}

TEST_CASE("periodic snapshots: while one fails there is pressure, until one does not", "[journal]")
{
    FaultyDisk disk;
    Rig rig(1);
    Periodic daemon(disk);
    daemon.open(0);
    rig.step(&daemon.journal);
    disk.fail_all("write", ENOSPC);
    CHECK_FALSE(take_snapshot(daemon.journal, rig.calls.store()));
    CHECK_THAT(daemon.journal.progress().pressure, Catch::Contains("free some space"));
    CHECK(daemon.journal.progress().failure.empty());
    disk.heal();
    REQUIRE(take_snapshot(daemon.journal, rig.calls.store()));
    CHECK(daemon.journal.progress().pressure.empty());
}

TEST_CASE("changing the strategy loses nothing, there and back", "[journal]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    for (int round = 0; round < 3; ++round) {
        {
            Opened logged(disk);
            REQUIRE(dump(logged.found) == rig.at(rig.revision()));
            for (int call = 0; call < 30; ++call)
                REQUIRE(rig.step_and_wait(*logged.journal, logged.moves));
            if (round == 1)
                REQUIRE(take_snapshot(*logged.journal, rig.calls.store()));
            REQUIRE(rig.step_and_wait(*logged.journal, logged.moves));
        }
        Periodic daemon(disk);
        REQUIRE(dump(daemon.found) == rig.at(rig.revision()));
        daemon.open(rig.revision());
        CHECK_FALSE(segments_on(disk).empty());
        for (int call = 0; call < 10; ++call)
            rig.step(&daemon.journal);
        REQUIRE(take_snapshot(daemon.journal, rig.calls.store()));
        CHECK(segments_on(disk).empty()); // now it is all in the snapshot
        REQUIRE(daemon.journal.close());
    }
}

TEST_CASE("revisions given out between snapshots and lost are not given out again by a log that is older",
          "[journal]")
{
    FaultyDisk disk;
    Rig rig(1);
    {
        Opened logged(disk);
        REQUIRE(rig.step_and_wait(*logged.journal, logged.moves));
    }
    const auto known = rig.revision();
    {
        Periodic daemon(disk);
        daemon.open(known + 5000); // the daemon jumps, and dies before its first snapshot
    }
    const auto killed = disk.after_power_loss(FaultyDisk::Unsynced::lost, true);
    Opened logged(*killed);
    CHECK(logged.recovery.revision == known + 5000);
    CHECK(logged.recovery.may_have_lost);
}

TEST_CASE("one state has one daemon, whatever their strategies", "[journal]")
{
    FaultyDisk disk;
    const Opened logged(disk);
    StateStore store(Limits{});
    const auto second = SnapshotJournal(disk, state_paths, Limits{}).recover(store);
    REQUIRE_FALSE(second);
    CHECK_THAT(second.error(), Catch::Contains("another daemon"));
}
