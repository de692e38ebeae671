#include "core/random_calls.hpp"
#include "core/store/transaction.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace coordination;
using namespace coordination::testing;

namespace {

constexpr Timestamp now{std::chrono::milliseconds{1000}};

Worker worker(StateStore& store, std::string_view id)
{
    return {.id = WorkerId(id), .capabilities = store.capabilities().intern({"any"}), .online = true};
}

Task task(StateStore& store, std::string_view id, std::string_view payload = "")
{
    return {.id = TaskId(id), .payload = Text(payload), .required = store.capabilities().intern({"any"})};
}

std::vector<Change> committed(StateStore& store, const auto& write)
{
    Transaction tx(store, now);
    write(tx);
    std::vector<Change> changes;
    tx.commit(changes);
    return changes;
}

} // namespace

TEST_CASE("a key written twice in one transaction comes back to its first value", "[transaction]")
{
    StateStore store{Limits{}};
    committed(store, [&](Transaction& tx) { tx.put(task(store, "t1", R"("n":1)"), Operation::set); });
    const auto before = dump(store);
    {
        Transaction tx(store, now);
        tx.put(task(store, "t1", R"("n":2)"), Operation::update);
        tx.put(task(store, "t1", R"("n":3)"), Operation::update);
        tx.erase<Task>("t1");
        tx.put(task(store, "t1", R"("n":4)"), Operation::set);
        CHECK(store.tasks().find("t1")->payload.view() == R"("n":4)");
    }
    CHECK(dump(store) == before);
    CHECK(recount(store, {}).empty());
}

TEST_CASE("a key written in two collections is undone in each", "[transaction]")
{
    StateStore store{Limits{}};
    committed(store, [&](Transaction& tx) {
        tx.put(task(store, "same", R"("n":1)"), Operation::set);
        tx.put(worker(store, "same"), Operation::set);
    });
    const auto before = dump(store);
    {
        Transaction tx(store, now);
        Worker busy = *store.workers().find("same");
        busy.metadata = Text(std::string_view(R"({"n":2})"));
        tx.put(busy, Operation::update);
        tx.put(task(store, "same", R"("n":2)"), Operation::update);
        tx.erase<Worker>("same");
        CHECK(store.tasks().find("same"));
        CHECK_FALSE(store.workers().find("same"));
    }
    CHECK(dump(store) == before);
}

TEST_CASE("a row that the transaction made is gone after the rollback, and its revision is given again",
          "[transaction]")
{
    StateStore store{Limits{}};
    {
        Transaction tx(store, now);
        tx.put(task(store, "t1"), Operation::set);
        tx.put(worker(store, "w1"), Operation::set);
        CHECK(store.revision() == 2);
        CHECK(store.schedule().waiting() == 1);
    }
    CHECK(store.revision() == 0);
    CHECK(store.tasks().size() == 0);
    CHECK(store.workers().size() == 0);
    CHECK(store.schedule().waiting() == 0);
    CHECK(store.schedule().available() == 0);
    CHECK(store.counters().rollbacks == 1);

    const auto changes =
        committed(store, [&](Transaction& tx) { tx.put(task(store, "t2"), Operation::set); });
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].revision == 1);
    CHECK(store.tasks().find("t2")->ordinal == 1);
}

TEST_CASE("a transaction left open by an exception rolls back", "[transaction]")
{
    StateStore store{Limits{}};
    committed(store, [&](Transaction& tx) { tx.put(task(store, "t1"), Operation::set); });
    const auto before = dump(store);
    const auto interrupted = [&] {
        Transaction tx(store, now);
        tx.erase<Task>("t1");
        tx.put(worker(store, "w1"), Operation::set);
        throw std::runtime_error("in the middle");
    };
    CHECK_THROWS_AS(interrupted(), std::runtime_error);
    CHECK(dump(store) == before);
    // The next one begins with nothing left over.
    CHECK(committed(store, [](Transaction&) {}).empty());
}

TEST_CASE("a committed transaction tells its changes in order, one revision each", "[transaction]")
{
    StateStore store{Limits{}};
    const auto changes = committed(store, [&](Transaction& tx) {
        tx.put(task(store, "t1", R"("n":1)"), Operation::set);
        tx.put(task(store, "t1", R"("n":2)"), Operation::update);
        tx.erase<Task>("t1");
    });
    REQUIRE(changes.size() == 3);
    CHECK(changes[0].operation == Operation::set);
    CHECK(std::get<Task>(changes[0].value).payload.view() == R"("n":1)");
    CHECK(changes[1].operation == Operation::update);
    CHECK(std::get<Task>(changes[1].value).payload.view() == R"("n":2)");
    CHECK(changes[2].operation == Operation::erase);
    CHECK(changes[2].key() == "t1");
    for (std::size_t i = 0; i < changes.size(); ++i)
        CHECK(changes[i].revision == i + 1);
    CHECK(store.revision() == 3);
}

TEST_CASE("a row keeps its ordinal however often it is written, and a new one with its id has its own",
          "[transaction]")
{
    StateStore store{Limits{}};
    committed(store, [&](Transaction& tx) { tx.put(task(store, "t1"), Operation::set); });
    committed(store, [&](Transaction& tx) { tx.put(task(store, "t1"), Operation::update); });
    CHECK(store.tasks().find("t1")->ordinal == 1);
    committed(store, [&](Transaction& tx) { tx.erase<Task>("t1"); });
    committed(store, [&](Transaction& tx) { tx.put(task(store, "t1"), Operation::set); });
    CHECK(store.tasks().find("t1")->ordinal == 4);
}

TEST_CASE("after any calls the indexes agree with a recount, and a rollback leaves no trace",
          "[transaction][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    RandomCalls calls(seed);
    for (int step = 0; step < 3000; ++step) {
        INFO("step " << step);
        const auto before = calls.fleet.engine.store().counters().rollbacks;
        const auto revision = calls.store().revision();
        const auto text = dump(calls.store());
        calls.step();
        REQUIRE(recount(calls.store(), calls.fleet.engine.limits()) == "");
        const bool only_rolled_back =
            calls.store().counters().rollbacks != before && calls.fleet.effects.changes.empty();
        if (only_rolled_back) {
            REQUIRE(calls.store().revision() == revision);
            REQUIRE(dump(calls.store()) == text);
        }
    }
    CHECK(calls.store().counters().rollbacks > 0);
    CHECK(calls.store().totals().processed > 0);
}
