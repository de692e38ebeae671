#include "persist/wal/opened.hpp"

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

constexpr int calls_in_a_life = 24;

WalOptions options_for(Durability level)
{
    auto options = small_log();
    options.segment_bytes = 2048;
    if (level == Durability::os)
        options.sync_interval = std::chrono::hours(1); // only checkpoints sync, so that each run is the same
    return options;
}

/// A life of the daemon until it is closed or the power goes. What the journal refuses is taken back.
class Life {
public:
    Life(FaultyDisk& disk, Rig& rig, Durability level) : rig_(rig), journal_(disk, options_for(level)) {}
    ~Life() { static_cast<void>(journal_.close()); }

    /// False where it could not start.
    bool start()
    {
        StateStore found(Limits{});
        const auto read = journal_.recover(found);
        return read && journal_.open(read->revision, moves_.listener());
    }

    /// Calls, and two snapshots in between. False where the journal failed.
    bool run()
    {
        for (int call = 0; call < calls_in_a_life; ++call) {
            if (!rig_.step_and_wait(journal_, moves_))
                return false;
            if (call % 10 == 9 && !snapshot() && !journal_.progress().failure.empty())
                return false;
        }
        return true;
    }

    bool snapshot()
    {
        const auto taken = take_snapshot(journal_, rig_.calls.store());
        if (!taken && !journal_.progress().failure.empty()) { // else it has failed for itself alone
            rig_.take_back_to(journal_.progress().reached);
            journal_.rewind();
        }
        return taken.has_value();
    }

    /// Waits until the journal works again.
    void await_recovery()
    {
        moves_.await(journal_, [](const JournalProgress& come) { return come.failure.empty(); });
    }

    void await_space()
    {
        moves_.await(journal_, [](const JournalProgress& come) { return come.pressure.empty(); });
    }

    WalJournal& journal() { return journal_; }

private:
    Rig& rig_;
    Moves moves_;
    WalJournal journal_;
};

/// At least `promised`, and as it once was, be it that the owner never learned that it had been reached.
void check_once_was(const Found& found, const Rig& rig, Revision promised)
{
    REQUIRE((found.recovery ? "" : found.recovery.error()) == std::string{});
    CHECK(found.recovery->revision >= promised);
    CHECK(rig.ever_was(found.recovery->revision, found.text));
}

/// At least `promised`, and nothing that was taken back.
void check_state(const Found& found, const Rig& rig, Revision promised)
{
    REQUIRE((found.recovery ? "" : found.recovery.error()) == std::string{});
    CHECK(found.recovery->revision >= promised);
    CHECK(found.text == rig.at(found.recovery->revision));
}

} // namespace

TEST_CASE("whichever disk call fails, nothing reached is lost, nothing refused is found, and it works again",
          "[wal][faults]")
{
    const auto level = GENERATE(Durability::disk, Durability::os);
    const auto code = GENERATE(ENOSPC, EIO);
    const auto seed = seed_of_run();
    std::size_t failures = 0;
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("COORD_SEED=" << seed << ", failing disk call " << call << " with " << code << ", level "
                           << name_of(level));
        FaultyDisk disk;
        disk.fail_call(call, code);
        Rig rig(seed);
        bool good = false;
        {
            Life life(disk, rig, level);
            if (life.start()) {
                good = life.run();
                if (!good) {
                    ++failures;
                    const auto reached = rig.revision();
                    check_state(Found(*disk.after_kill()), rig, reached);
                    CHECK(Found(*disk.after_kill()).recovery->revision == reached);
                    life.await_recovery();
                    check_state(Found(*disk.after_power_loss(FaultyDisk::Unsynced::lost, true)), rig,
                                reached);
                    good = life.run();
                }
                CHECK(good);
                if (!life.snapshot()) {
                    life.await_recovery();
                    CHECK(life.snapshot());
                }
                life.await_space();
            }
        }
        fired = disk.fired();
        CHECK((good || fired));
        check_state(Found(*disk.after_kill()), rig, rig.revision());
        check_state(Found(*disk.after_power_loss(FaultyDisk::Unsynced::lost, true)), rig, rig.revision());
    }
    CHECK(failures > 10);
}

TEST_CASE("whenever the power goes, what was promised is there, and the state is one that once was",
          "[wal][faults]")
{
    const auto level = GENERATE(Durability::disk, Durability::os);
    const auto seed = seed_of_run();
    std::mt19937_64 random(seed);
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("COORD_SEED=" << seed << ", power gone at disk call " << call << ", level " << name_of(level));
        FaultyDisk disk;
        disk.cut_power_at(call);
        Rig rig(seed);
        JournalProgress progress;
        {
            Life life(disk, rig, level);
            if (life.start())
                static_cast<void>(life.run());
            progress = life.journal().progress();
        }
        const auto promised = progress.synced;
        fired = disk.fired();
        check_once_was(Found(*disk.after_kill()), rig, progress.reached);
        for (const auto unsynced :
             {FaultyDisk::Unsynced::lost, FaultyDisk::Unsynced::kept, FaultyDisk::Unsynced::cut})
            for (const bool names_kept : {true, false})
                check_once_was(Found(*disk.after_power_loss(unsynced, names_kept)), rig, promised);
        for (int order = 0; order < 8; ++order)
            check_once_was(Found(*disk.after_power_loss(random)), rig, promised);
    }
}

TEST_CASE("whichever disk call fails while a state is recovered, the start is refused or finds all of it",
          "[wal][faults]")
{
    const auto seed = seed_of_run();
    FaultyDisk disk;
    Rig rig(seed);
    {
        Life life(disk, rig, Durability::disk);
        REQUIRE(life.start());
        REQUIRE(life.run());
    }
    const auto last = segments_on(disk).back();
    disk.put(last, *disk.content(last) + "torn");
    bool fired = true;
    for (std::size_t call = 0; fired; ++call) {
        INFO("COORD_SEED=" << seed << ", failing disk call " << call);
        const auto left = disk.after_kill();
        left->fail_call(call, EIO);
        const Found found(*left);
        fired = left->fired();
        if (found.recovery)
            CHECK(found.text == rig.at(rig.revision()));
        else
            CHECK_THAT(found.recovery.error(), Catch::Contains("cannot"));
        left->heal();
        const Found again(*left);
        REQUIRE(again.recovery);
        CHECK(again.text == rig.at(rig.revision()));
    }
}

TEST_CASE("what a killed process had not synced survives the power loss that comes after the next start",
          "[wal][faults]")
{
    const auto level = GENERATE(Durability::disk, Durability::os);
    const bool sync_fails_first = GENERATE(false, true);
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed << ", level " << name_of(level) << ", a sync fails first "
                       << sync_fails_first);
    FaultyDisk disk;
    Rig rig(seed);
    auto options = small_log();
    options.retry_after = std::chrono::hours(1); // killed before it could write anything anew
    options.sync_interval = std::chrono::milliseconds(level == Durability::disk ? 0 : 3'600'000);
    Opened log(disk, options);
    for (int call = 0; call < 3; ++call)
        REQUIRE(rig.step_and_wait(*log.journal, log.moves));
    if (sync_fails_first) {
        disk.fail_all("sync", EIO);
        const auto checkpoint = log.journal->put_snapshot(rig.revision()); // syncs
        rig.step(log.journal.get());
        static_cast<void>(rig.settle(*log.journal, log.moves));
        disk.heal();
    }
    const auto left = disk.after_kill();
    Opened next(*left);
    CHECK(next.recovery.revision == rig.revision());
    REQUIRE(rig.step_and_wait(*next.journal, next.moves)); // told to be on the disk
    const Found found(*left->after_power_loss(FaultyDisk::Unsynced::lost, false));
    REQUIRE((found.recovery ? "" : found.recovery.error()) == std::string{});
    CHECK(found.text == rig.at(rig.revision()));
}
