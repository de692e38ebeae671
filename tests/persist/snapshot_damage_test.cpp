#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/saved.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using Catch::Matchers::Contains;

namespace {

/// Two workers, and tasks in each state.
std::string small_snapshot()
{
    Fleet fleet;
    fleet.join("w1", {"a"});
    const auto leaving = fleet.join("w2", {"b"});
    static_cast<void>(fleet.assign("t1", {"a"}));
    static_cast<void>(fleet.assign("t2", {"a"}));
    static_cast<void>(fleet.assign("t3", {"a"}, Priority::critical));
    static_cast<void>(fleet.assign("t4", {"b"}));
    static_cast<void>(fleet.complete("t2"));
    static_cast<void>(fleet.fail("t3"));
    static_cast<void>(fleet.call(UnregisterWorker{leaving.worker}));
    return snapshot_of(fleet.engine.store());
}

std::string refusal(const std::string& text)
{
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().find('\n') == std::string::npos);
    return loaded.error();
}

bool loads(const std::string& text)
{
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    if (loaded)
        CHECK(recount(store, Limits{}) == "");
    return loaded.has_value();
}

} // namespace

TEST_CASE("a snapshot that was cut anywhere is refused", "[snapshot][damage]")
{
    const auto text = small_snapshot();
    REQUIRE(loads(text));
    for (std::size_t size = 0; size < text.size(); ++size) {
        INFO("cut at byte " << size);
        REQUIRE_FALSE(loads(text.substr(0, size)));
    }
}

TEST_CASE("a snapshot with any bit flipped is refused", "[snapshot][damage]")
{
    const auto text = small_snapshot();
    for (std::size_t at = 0; at < text.size(); ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto flipped = text;
            flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
            INFO("bit " << bit << " of byte " << at);
            REQUIRE_FALSE(loads(flipped));
        }
}

TEST_CASE("a snapshot with bytes put in, left out or repeated is refused", "[snapshot][damage][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto text = small_snapshot();
    for (int i = 0; i < 3000; ++i) {
        auto other = text;
        const auto at = random() % text.size();
        const auto count = 1 + random() % 40;
        switch (random() % 3) {
        case 0:
            other.erase(at, count);
            break;
        case 1:
            other.insert(at, text.substr(random() % text.size(), count));
            break;
        default:
            other.insert(at, count, static_cast<char>(random()));
        }
        if (other != text)
            REQUIRE_FALSE(loads(other));
    }
}

TEST_CASE("whatever stands under a checksum that fits, it is loaded whole or refused",
          "[snapshot][damage][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto text = small_snapshot();
    constexpr std::string_view likely = "\"{}[],:0123456789\\\n wt_-";
    int refused = 0;
    for (int i = 0; i < 20000; ++i) {
        auto other = text;
        for (auto edits = 1 + random() % 3; edits > 0; --edits) {
            const auto at = random() % text.rfind("\"checksum\":");
            other[at] = likely[random() % likely.size()];
        }
        refused += loads(sealed(other)) ? 0 : 1;
    }
    CHECK(refused > 1000);
}

TEST_CASE("a row that lies is refused though the checksum fits, and told by its line", "[snapshot][damage]")
{
    const auto text = small_snapshot();
    const auto edited = [&text](std::string_view what, std::string_view with) {
        return refusal(sealed(replaced(text, what, with)));
    };
    CHECK_THAT(edited(R"("t2":{"id":"t2")", R"("t1":{"id":"t1")"), Contains("line 7") && Contains("twice"));
    CHECK_THAT(edited(R"("t2":{"id":"t2")", R"("t2":{"id":"t1")"), Contains("line 7") && Contains("its id"));
    CHECK_THAT(edited(R"("assignedTo":"w1")", R"("assignedTo":"w9")"),
               Contains("line 6") && Contains("not in the file"));
    CHECK_THAT(edited(R"("status":"assigned")", R"("status":"resting")"),
               Contains("line 6") && Contains("status"));
    CHECK_THAT(edited(R"("priority":"critical")", R"("priority":"urgent")"),
               Contains("line 8") && Contains("priority"));
    CHECK_THAT(edited(R"("attempt":1,"fence":3)", R"("attempt":0,"fence":3)"),
               Contains("line 6") && Contains("attempt"));
    CHECK_THAT(edited(R"("attempt":1)", R"("attempt":-1)"), Contains("attempt"));
    CHECK_THAT(edited(R"("attempt":1)", R"("attempt":4294967296)"), Contains("attempt"));
    CHECK_THAT(edited(R"("fence":3)", R"("fence":99)"), Contains("fence"));
    CHECK_THAT(edited(R"("_":{"ordinal":4)", R"("_":{"ordinal":99)"), Contains("order"));
    CHECK_THAT(edited(R"("_":{"ordinal":4)", R"("x":{"ordinal":4)"), Contains("line 6"));
    CHECK_THAT(edited(R"("createdAt":1764000000000)", R"("createdAt":"long ago")"), Contains("createdAt"));
    CHECK_THAT(edited("\"tasks\":{\n", "\"tsaks\":{\n"), Contains("line 5") && Contains("tasks"));
    CHECK_THAT(edited(R"("totalTasksProcessed":1)", R"("totalTasksProcessed":"1")"),
               Contains("totalTasksProcessed"));
}

TEST_CASE("damage is one line that names the file, the place, and what to do", "[snapshot][damage]")
{
    const auto text = small_snapshot();
    const auto at = text.find("\"t2\"");
    auto damaged_text = text;
    damaged_text[at + 5] = '\x01';
    CHECK(refusal(damaged_text) ==
          "cannot load data/state-snapshot.json: line 7 (byte " + std::to_string(at) +
              "): not JSON at byte 0 of the row: syntax error: restore the file from a copy, or move "
              "it away to start empty");
    CHECK_THAT(refusal(replaced(text, R"("t4")", R"("t5")")), Contains("its id"));
    CHECK_THAT(refusal(replaced(text, R"("completedTasks":1)", R"("completedTasks":2)")),
               Contains("checksum"));
    CHECK_THAT(refusal(text + "\n"), Contains("more after the end"));
    CHECK_THAT(refusal(""), Contains("empty"));
    CHECK_THAT(refusal(text.substr(0, text.size() / 2)), Contains("byte"));
}

TEST_CASE("a newer version is refused with a line that says so", "[snapshot][damage]")
{
    const auto newer = sealed(replaced(small_snapshot(), R"("version":2)", R"("version":3)"));
    const auto told = refusal(newer);
    CHECK_THAT(told, Contains("version 3") && Contains("newer"));
    CHECK_THAT(told, !Contains("move it away"));
    CHECK_THAT(refusal(sealed(replaced(small_snapshot(), R"("version":2)", R"("version":0)"))),
               Contains("version"));
    CHECK_THAT(refusal(sealed(replaced(small_snapshot(), "coordination-snapshot", "something-else"))),
               Contains("format is unknown"));
}

TEST_CASE("a snapshot that another program wrote anew is refused, not taken for the original's",
          "[snapshot][damage]")
{
    auto pretty = small_snapshot();
    pretty.insert(1, "\n  ");
    CHECK_THAT(refusal(pretty), Contains("changed since"));
}
