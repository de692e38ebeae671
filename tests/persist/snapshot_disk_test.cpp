#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/saved.hpp"
#include "persist/snapshot/snapshot_file.hpp"

#include <catch2/catch.hpp>

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

/// An old state that was saved, and a newer one.
struct TwoStates {
    TwoStates()
    {
        fleet.join("w1");
        static_cast<void>(fleet.assign("t1"));
        old_text = snapshot_of(fleet.engine.store());
        static_cast<void>(fleet.assign("t2"));
        new_text = snapshot_of(fleet.engine.store());
    }

    void put_old(FaultyDisk& disk) const { disk.put(snapshot_path, old_text); }
    bool either(const std::optional<std::string>& content) const
    {
        return content == old_text || content == new_text;
    }

    Fleet fleet;
    std::string old_text;
    std::string new_text;
};

} // namespace

TEST_CASE("whichever disk call fails, the old snapshot or the new one is there, whole, and nothing else",
          "[snapshot][disk]")
{
    TwoStates states;
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("failing disk call " << call);
        FaultyDisk disk;
        states.put_old(disk);
        disk.fail_call(call, ENOSPC);
        const auto saved = save(disk, states.fleet.engine.store(), 1);
        fired = disk.fired();
        CHECK(saved.has_value() == !fired);
        CHECK(states.either(disk.content(snapshot_path)));
        CHECK_FALSE(disk.content(aside_of(snapshot_path)));
        if (fired) // space that comes back is used
            REQUIRE(save(disk, states.fleet.engine.store(), 1));
        CHECK(disk.content(snapshot_path) == states.new_text);
    }
}

TEST_CASE("whenever the power goes, the next start finds the old snapshot or the new one, whole",
          "[snapshot][disk]")
{
    TwoStates states;
    const auto unsynced =
        GENERATE(FaultyDisk::Unsynced::lost, FaultyDisk::Unsynced::kept, FaultyDisk::Unsynced::cut);
    const bool names_kept = GENERATE(true, false);
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("power gone at disk call " << call << ", names kept " << names_kept);
        FaultyDisk disk;
        states.put_old(disk);
        disk.cut_power_at(call);
        const auto saved = save(disk, states.fleet.engine.store(), 1);
        fired = disk.fired();
        const auto restarted = disk.after_power_loss(unsynced, names_kept);
        const auto content = restarted->content(snapshot_path);
        CHECK(states.either(content));
        if (saved)
            CHECK(content == states.new_text);

        StateStore store{Limits{}};
        const auto loaded = load_snapshot(*restarted, snapshot_path, Limits{}, store);
        REQUIRE(loaded);
        REQUIRE(*loaded);
        CHECK_FALSE(restarted->content(aside_of(snapshot_path)));
    }
}

TEST_CASE("whichever disk call fails, loading tells of it or has all", "[snapshot][disk]")
{
    TwoStates states;
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("failing disk call " << call);
        FaultyDisk disk;
        states.put_old(disk);
        disk.fail_call(call, EIO);
        StateStore store{Limits{}};
        const auto loaded = load_snapshot(disk, snapshot_path, Limits{}, store);
        fired = disk.fired();
        if (!loaded)
            CHECK(loaded.error().find("Input/output error") != std::string::npos);
        else
            CHECK((*loaded && (*loaded)->tasks == 1)); // never "no snapshot"
    }
}

TEST_CASE("where there is no snapshot, there is nothing to load, and a half written one is removed",
          "[snapshot][disk]")
{
    FaultyDisk disk;
    disk.put(aside_of(snapshot_path), "{\"format\":");
    StateStore store{Limits{}};
    const auto loaded = load_snapshot(disk, snapshot_path, Limits{}, store);
    REQUIRE(loaded);
    CHECK_FALSE(*loaded);
    CHECK_FALSE(disk.content(aside_of(snapshot_path)));
    CHECK(store.revision() == 0);
}

TEST_CASE("a snapshot that is given up leaves nothing behind", "[snapshot][disk]")
{
    TwoStates states;
    FaultyDisk disk;
    states.put_old(disk);
    {
        SnapshotFile file(disk, snapshot_path);
        REQUIRE(file.write("{"));
        CHECK(disk.content(aside_of(snapshot_path)));
    }
    CHECK_FALSE(disk.content(aside_of(snapshot_path)));
    CHECK(disk.content(snapshot_path) == states.old_text);
}
