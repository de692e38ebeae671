#include "core/json/records.hpp"
#include "core/random_calls.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace coordination;
using namespace coordination::testing;

namespace {

/// What is state in a worker's row: not when it was heard.
std::string row_of(Worker worker)
{
    worker.last_seen = {};
    worker.last_heartbeat = {};
    std::string row;
    json::append_worker(row, worker);
    return row;
}

std::string row_of(const Task& task)
{
    std::string row;
    json::append_task(row, task);
    return row;
}

template <class Record>
std::vector<std::string> rows_of(const Table<Record>& table)
{
    std::vector<std::string> rows;
    for (const auto& [ordinal, row] : table.rows())
        rows.push_back(row_of(row));
    return rows;
}

} // namespace

TEST_CASE("a view hands out each row once, as it was at its revision, whatever is written in between",
          "[view][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    RandomCalls calls(seed);
    for (int round = 0; round < 60; ++round) {
        calls.steps(30);
        const auto revision = calls.store().revision();
        const auto totals = calls.store().totals().processed;
        const auto workers = rows_of(calls.store().workers());
        const auto tasks = rows_of(calls.store().tasks());

        FrozenView view(calls.store());
        std::vector<std::string> seen_workers;
        std::vector<std::string> seen_tasks;
        const auto rows_max = 1 + calls.below(3);
        while (view.workers.next(rows_max, [&](const Worker& row) { seen_workers.push_back(row_of(row)); }))
            calls.steps(static_cast<int>(calls.below(4)));
        while (view.tasks.next(rows_max, [&](const Task& row) { seen_tasks.push_back(row_of(row)); }))
            calls.steps(static_cast<int>(calls.below(3)));

        REQUIRE(view.revision() == revision);
        REQUIRE(view.totals().processed == totals);
        REQUIRE(seen_workers == workers);
        REQUIRE(seen_tasks == tasks);
        REQUIRE(view.tasks.kept() == 0);
    }
}

TEST_CASE("a view keeps only rows that were written and not yet read", "[view]")
{
    Fleet fleet;
    fleet.join("w1");
    for (const auto* id : {"t1", "t2", "t3"})
        static_cast<void>(fleet.assign(id));
    FrozenView view(fleet.engine.store());
    CHECK(view.tasks.next(1, [](const Task& row) { CHECK(row.id.view() == "t1"); }));
    static_cast<void>(fleet.complete("t1"));
    CHECK(view.tasks.kept() == 0); // handed out already
    static_cast<void>(fleet.complete("t3"));
    static_cast<void>(fleet.complete("t3"));
    CHECK(view.tasks.kept() == 1);
    static_cast<void>(fleet.assign("t4"));
    CHECK(view.tasks.kept() == 1); // newer than the view
}
