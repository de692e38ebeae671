#include "persist/wal/opened.hpp"

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

std::size_t log_bytes(FaultyDisk& disk)
{
    std::size_t bytes = 0;
    for (const auto& segment : segments_on(disk))
        bytes += disk.content(segment)->size();
    return bytes;
}

} // namespace

TEST_CASE("a snapshot makes the log before it superfluous, whatever old tasks it held", "[wal][snapshot]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    Opened log(disk);
    for (int round = 0; round < 10; ++round) {
        for (int call = 0; call < 20; ++call)
            REQUIRE(rig.step_and_wait(*log.journal, log.moves));
        CHECK(log_bytes(disk) > segment_format::header_bytes);
        REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
        // The tasks of the first round are still there, and keep nothing of the log alive.
        CHECK(segments_on(disk).size() == 1);
        CHECK(log_bytes(disk) == segment_format::header_bytes);
        CHECK(Found(*disk.after_power_loss(FaultyDisk::Unsynced::lost, false)).text ==
              rig.at(rig.revision()));
    }
}

TEST_CASE("what comes while a snapshot is written outlives it in the log", "[wal][snapshot]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    Opened log(disk);
    for (int call = 0; call < 10; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    StateStore frozen(Limits{});
    const auto before = disk.after_kill();
    const Found then(*before);
    const auto sink = log.journal->put_snapshot(rig.revision());
    for (int call = 0; call < 10; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(sink->write("cut short"));
    CHECK(Found(*disk.after_kill()).text == rig.at(rig.revision()));
}

TEST_CASE("the log asks for a snapshot by its size, however often the daemon starts", "[wal][snapshot]")
{
    FaultyDisk disk;
    Rig rig(1);
    auto options = small_log();
    int starts = 0;
    bool wanted = false;
    for (; !wanted; ++starts) {
        Opened log(disk, options);
        const auto enough = log.journal->counters().bytes + options.snapshot_after / 4;
        while (log.journal->counters().bytes < enough && !log.journal->wants_snapshot())
            REQUIRE(rig.step_and_wait(*log.journal, log.moves));
        wanted = log.journal->wants_snapshot();
        if (wanted) {
            REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
            CHECK_FALSE(log.journal->wants_snapshot());
        }
    }
    CHECK(starts > 1);
    CHECK(starts <= 5);
}

TEST_CASE("a snapshot of what the log could not hold does not take the place of the older one",
          "[wal][snapshot]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk);
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
    const auto reached = rig.revision();
    const auto older = disk.content(state_paths.snapshot);

    Gate gate(disk, "write");
    rig.step(log.journal.get());
    gate.await_arrival();
    const auto sink = log.journal->put_snapshot(rig.revision());
    disk.fail_all("write", EIO);
    gate.open();
    CHECK_FALSE(sink->commit());
    disk.heal();
    CHECK(disk.content(state_paths.snapshot) == older);
    rig.take_back_to(reached);
    log.journal->rewind();
    log.await_recovery();
    rig.step_and_wait(*log.journal, log.moves);
    CHECK_FALSE(sink->commit()); // not even now that there is another change of that number
    CHECK(disk.content(state_paths.snapshot) == older);
}

TEST_CASE("without room for the next segment a snapshot is taken all the same, and the log goes on",
          "[wal][snapshot][space]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    Opened log(disk);
    for (int call = 0; call < 5; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    disk.fail_all("reserve", ENOSPC);
    REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
    CHECK(segments_on(disk).size() == 1);
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    CHECK(Found(*disk.after_kill()).text == rig.at(rig.revision()));
    disk.heal();
    REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
    CHECK(log_bytes(disk) == segment_format::header_bytes);
}

TEST_CASE("while the log takes nothing a snapshot saves what it had reached, and makes room for it",
          "[wal][snapshot][space]")
{
    const auto interval = GENERATE(std::chrono::hours(0), std::chrono::hours(1));
    FaultyDisk disk;
    Rig rig(1);
    auto options = small_log();
    options.sync_interval = interval;
    options.retry_after = std::chrono::hours(1);
    Opened log(disk, options);
    for (int call = 0; call < 20; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    disk.fail_all("write", ENOSPC);
    rig.step(log.journal.get());
    log.await([](const JournalProgress& come) { return !come.failure.empty(); });
    const auto early = log.journal->put_snapshot(rig.revision()); // of what is going to be taken back
    REQUIRE_FALSE(rig.settle(*log.journal, log.moves));
    disk.heal();

    const auto refused = early->write("{");
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error(), Catch::Contains("free some space"));
    REQUIRE(take_snapshot(*log.journal, rig.calls.store()));
    CHECK(segments_on(disk).empty());
    CHECK(Found(*disk.after_power_loss(FaultyDisk::Unsynced::lost, false)).text == rig.at(rig.revision()));
}
