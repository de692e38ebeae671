#include "persist/wal/opened.hpp"

#include <cerrno>

using namespace coordination;
using namespace coordination::testing;

namespace {

/// Lives of a daemon, each ended as it comes, with disk calls that fail at random.
class Lives {
public:
    explicit Lives(std::uint64_t seed) : random_(seed), rig_(seed), disk_(std::make_unique<FaultyDisk>()) {}

    void live()
    {
        auto options = small_log();
        const bool synced_first = one_in(2);
        options.sync_interval = std::chrono::milliseconds(synced_first ? 0 : 1 + below(3));
        options.segment_bytes = 1024 + below(4096);
        WalJournal journal(*disk_, options);
        start(journal);
        const auto calls = 1 + below(60);
        for (std::uint64_t call = 0; call < calls; ++call)
            act(journal);
        end(journal, synced_first);
    }

private:
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    bool one_in(std::uint64_t bound) { return below(bound) == 0; }

    void start(WalJournal& journal)
    {
        StateStore found(Limits{});
        const auto read = journal.recover(found);
        REQUIRE((read ? "" : read.error()) == std::string{});
        INFO("found revision " << read->revision << ", promised " << promised_);
        REQUIRE(read->revision >= promised_);
        REQUIRE(dump(found) == rig_.at(read->revision));
        if (!read->may_have_lost)
            REQUIRE(read->revision >= told_); // else revisions would be told twice
        rig_.take_back_to(read->revision);
        if (read->may_have_lost)
            rig_.jump_to(std::max(read->revision, told_) + 100);
        REQUIRE(journal.open(rig_.revision(), moves_.listener()));
        promised_ = rig_.revision();
    }

    void act(WalJournal& journal)
    {
        if (one_in(15))
            disk_->fail_call(disk_->calls() + below(12), one_in(2) ? ENOSPC : EIO);
        if (one_in(12))
            static_cast<void>(take_snapshot(journal, rig_.calls.store())); // may be refused
        rig_.step(&journal);
        const bool waits = !one_in(4);
        if (waits && !rig_.settle(journal, moves_))
            moves_.await(journal, [](const JournalProgress& come) { return come.failure.empty(); });
        else if (waits)
            told_ = std::max(told_, rig_.revision());
    }

    void end(WalJournal& journal, bool synced_first)
    {
        disk_->heal();
        if (!rig_.settle(journal, moves_)) // the last call that was told to fail may have come only now
            moves_.await(journal, [](const JournalProgress& come) { return come.failure.empty(); });
        told_ = std::max(told_, rig_.revision());
        promised_ = journal.progress().synced;
        const auto way = below(3);
        INFO("way of ending " << way << ", synced first " << synced_first);
        if (way == 0) {
            REQUIRE(journal.close());
            promised_ = rig_.revision();
        }
        auto next = way <= 1 ? disk_->after_kill() : disk_->after_power_loss(random_);
        if (way <= 1 || synced_first)
            promised_ = rig_.revision();
        static_cast<void>(journal.close());
        graveyard_.push_back(std::move(disk_)); // the journal may still let go of its files
        disk_ = std::move(next);
    }

    std::mt19937_64 random_;
    Rig rig_;
    Moves moves_;
    std::vector<std::unique_ptr<FaultyDisk>> graveyard_;
    std::unique_ptr<FaultyDisk> disk_;
    Revision promised_ = 0;
    Revision told_ = 0;
};

} // namespace

TEST_CASE("over many lives on a failing disk nothing promised is lost and no revision is told twice",
          "[wal][faults]")
{
    const auto seed = seed_of_run();
    for (std::uint64_t run = 0; run < 8; ++run) {
        INFO("COORD_SEED=" << seed << ", run " << run);
        Lives lives(seed + run);
        for (int life = 0; life < 12; ++life) {
            INFO("life " << life);
            lives.live();
        }
    }
}
