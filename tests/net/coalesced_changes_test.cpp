#include "net/coalesced_changes.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

namespace coordination {
namespace {

using Put = CoalescedChanges::Put;

Frame frame(std::string text)
{
    return std::make_shared<const std::string>(std::move(text));
}

std::vector<std::string> texts(const std::vector<Frame>& frames)
{
    std::vector<std::string> all;
    for (const auto& one : frames)
        all.push_back(*one);
    return all;
}

} // namespace

SCENARIO("of each key the newest change is kept, in the order of the revisions", "[coalesce]")
{
    CoalescedChanges changes(10'000);
    CHECK(changes.put(Collection::tasks, "a", 11, frame("a set")) == Put::added);
    CHECK(changes.put(Collection::tasks, "b", 12, frame("b set")) == Put::added);
    CHECK(changes.put(Collection::workers, "a", 15, frame("worker a")) == Put::added);
    CHECK(changes.put(Collection::tasks, "a", 16, frame("a deleted")) == Put::merged);
    const auto gap = changes.gap();
    CHECK(gap.from == 11);
    CHECK(gap.to == 16);
    CHECK(gap.changes == 4);
    CHECK(gap.kept == 3);
    CHECK(texts(changes.take()) == std::vector<std::string>{"b set", "worker a", "a deleted"});
    CHECK(changes.take().empty());
}

SCENARIO("random changes of random keys end as the last one of each", "[coalesce]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        CoalescedChanges changes(1 << 20);
        std::map<std::pair<Collection, std::string>, Revision> last;
        const auto keys = 1 + random() % 40;
        const auto first = Revision{random()};
        const auto count = 1 + random() % 300;
        for (Revision revision = first; revision < first + count; ++revision) {
            const auto collection = static_cast<Collection>(random() % collection_count);
            const auto key = std::to_string(random() % keys);
            changes.put(collection, key, revision, frame(std::to_string(revision)));
            last[{collection, key}] = revision;
        }
        std::vector<Revision> expected;
        for (const auto& [key, revision] : last)
            expected.push_back(revision);
        std::ranges::sort(expected);
        const auto gap = changes.gap();
        REQUIRE(gap.from == first);
        REQUIRE(gap.to == first + count - 1);
        REQUIRE(gap.changes == count);
        REQUIRE(gap.kept == expected.size());
        std::vector<Revision> kept;
        for (const auto& text : texts(changes.take()))
            kept.push_back(std::stoull(text));
        REQUIRE(kept == expected);
    }
}

SCENARIO("keys are bounded by the bytes that keeping them costs", "[coalesce]")
{
    CoalescedChanges changes(2'000);
    std::size_t keys = 0;
    while (changes.put(Collection::tasks, std::to_string(keys), keys + 1, frame("")) == Put::added)
        REQUIRE(++keys < 2'000);
    CHECK(keys > 1);
    WHEN("one key changes again and again, nothing is added")
    {
        CoalescedChanges one(200);
        for (Revision revision = 1; revision < 1'000; ++revision)
            REQUIRE(one.put(Collection::tasks, "k", revision, frame("change")) != Put::full);
        CHECK(one.put(Collection::tasks, "k", 1'000, frame(std::string(2'000, 'x'))) == Put::merged);
        CHECK(one.put(Collection::tasks, "l", 1'001, frame("x")) == Put::full);
    }
}

} // namespace coordination
