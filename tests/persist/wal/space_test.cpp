#include "persist/wal/opened.hpp"

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

bool pressed(const JournalProgress& come)
{
    return !come.pressure.empty();
}

} // namespace

TEST_CASE("when space runs out it is told ahead, what was set aside can still be used, and it ends by itself",
          "[wal][space]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    auto options = small_log();
    options.reserve_bytes = std::uint64_t{16} << 10; // half of it takes any call
    Opened log(disk, options);
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    disk.set_capacity(disk.used()); // what is set aside is all there is
    while (!pressed(log.journal->progress()))
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    CHECK_THAT(log.journal->progress().pressure, Catch::Contains("cannot reserve space for data/wal.log") &&
                                                     Catch::Contains("free some space"));
    CHECK(log.journal->progress().failure.empty());

    REQUIRE(rig.step_and_wait(*log.journal, log.moves)); // in the space that is left
    disk.heal();
    log.await([](const JournalProgress& come) { return !pressed(come); });
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    CHECK(Found(*disk.after_kill()).text == rig.at(rig.revision()));
}

TEST_CASE("when the last space is used up, what does not fit is refused without a trace until there is more",
          "[wal][space]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    FaultyDisk disk;
    Rig rig(seed);
    Opened log(disk);
    disk.set_capacity(disk.used());
    while (rig.step_and_wait(*log.journal, log.moves)) {
    }
    const auto reached = rig.revision();
    CHECK(log.journal->progress().reached == reached);
    CHECK_THAT(log.journal->progress().failure, Catch::Contains("free some space"));
    CHECK(Found(*disk.after_kill()).text == rig.at(reached));

    disk.heal();
    log.await_recovery();
    CHECK(log.journal->progress().pressure.empty());
    CHECK(log.journal->progress().reached == reached);
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    CHECK(Found(*disk.after_power_loss(FaultyDisk::Unsynced::lost, false)).text == rig.at(rig.revision()));
}

TEST_CASE("a start on a disk without space to set aside is told of it, and works in what there is",
          "[wal][space]")
{
    FaultyDisk disk;
    Rig rig(1);
    disk.set_capacity(1024); // less than is set aside ahead
    Opened log(disk);
    CHECK(pressed(log.journal->progress()));
    REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    disk.heal();
    log.await([](const JournalProgress& come) { return !pressed(come); });
}

TEST_CASE("a closed journal has given back what it set aside", "[wal][space]")
{
    FaultyDisk disk;
    Rig rig(1);
    Opened log(disk);
    for (int call = 0; call < 20; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    REQUIRE(log.journal->close());
    std::uint64_t written = 0;
    for (const auto& segment : segments_on(disk))
        written += disk.content(segment)->size();
    CHECK(disk.used() < written + 100); // the lock files are there too
}
