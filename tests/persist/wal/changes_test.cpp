#include "persist/wal/changes.hpp"

#include "persist/wal/rig.hpp"
#include "persist/wal/segment_format.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;

namespace {

struct Logged {
    std::string payload;
    Revision first;
    Revision last;
};

Logged logged(const std::vector<Change>& changes)
{
    std::string text;
    append_record_of(text, changes);
    return {text.substr(segment_format::record_header_bytes), changes.front().revision,
            changes.back().revision};
}

Limits tight(const StateStore&)
{
    Limits limits;
    limits.tasks_per_worker_max = 3;
    return limits;
}

} // namespace

TEST_CASE("replaying the changes of any calls gives the same state, call for call", "[wal][changes]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    Rig rig(seed);
    StateStore store(tight(rig.calls.store()));
    Replay replay(store);
    for (int call = 0; call < 2000; ++call) {
        const auto [payload, first, last] = logged(rig.step(nullptr));
        const auto applied = replay.apply(payload, first, last);
        REQUIRE((applied ? "" : applied.error()) == std::string{});
        const auto agrees = replay.check();
        REQUIRE((agrees ? "" : agrees.error()) == std::string{});
        if (call % 20 == 0)
            REQUIRE(dump(store) == rig.at(last));
    }
    CHECK(dump(store) == rig.at(rig.revision()));
    CHECK(recount(store, tight(store)) == "");
}

TEST_CASE("no payload, however damaged, breaks the store it is replayed on", "[wal][changes]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    Rig rig(seed);
    std::vector<Logged> log;
    for (int call = 0; call < 25; ++call)
        log.push_back(logged(rig.step(nullptr)));
    std::size_t refused = 0;
    for (std::size_t victim = 0; victim < log.size(); ++victim) {
        for (std::size_t at = 0; at < log[victim].payload.size(); at += 1 + rig.calls.below(3)) {
            INFO("record " << victim << ", byte " << at);
            StateStore store(tight(rig.calls.store()));
            Replay replay(store);
            bool good = true;
            for (std::size_t i = 0; good && i < log.size(); ++i) {
                auto payload = log[i].payload;
                if (i == victim && rig.calls.below(4) == 0)
                    payload.resize(at);
                else if (i == victim)
                    payload[at] = static_cast<char>(rig.calls.below(256));
                good = replay.apply(payload, log[i].first, log[i].last).has_value();
            }
            refused += good ? 0 : 1;
            if (good && replay.check())
                CHECK(recount(store, tight(store)) == "");
        }
    }
    CHECK(refused > 0);
}
