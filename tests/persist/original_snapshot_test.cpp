#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/saved.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::testing;
using Catch::Matchers::Contains;

namespace {

/// As the original's JSON.stringify(state, null, 2) writes it.
constexpr const char* pretty = R"({
  "workers": {
    "w1": {
      "id": "w1",
      "capabilities": [
        "development",
        "security"
      ],
      "metadata": {
        "host": "a b"
      },
      "status": "busy",
      "activeTasks": 7,
      "completedTasks": 3,
      "failedTasks": 1,
      "registeredAt": 1764000000000,
      "lastHeartbeat": 1764000005000,
      "lastSeen": 1764000004000,
      "subscriptions": [
        "*"
      ]
    },
    "w2": {
      "id": "w2",
      "capabilities": [],
      "metadata": {},
      "status": "error",
      "registeredAt": "2025-11-24T16:00:00.250Z",
      "subscriptions": [
        "tasks:set"
      ]
    }
  },
  "tasks": {
    "held": {
      "id": "held",
      "title": "two  spaces, \"quotes\" and a \n line",
      "capabilities": [
        "development"
      ],
      "priority": "high",
      "context": {
        "dependencies": [
          "a",
          "b"
        ]
      },
      "status": "in_progress",
      "assignedTo": "w1",
      "assignedAt": 1764000001000,
      "lastUpdate": 1764000002000,
      "progress": 50
    },
    "older": {
      "id": "older",
      "status": "completed",
      "assignedTo": "w2",
      "assignedAt": 1764000000500,
      "lastUpdate": 1764000000500,
      "result": {
        "output": [
          1,
          2
        ]
      },
      "completedAt": "2025-11-24T17:00:01.500+01:00"
    },
    "broken": {
      "id": "broken",
      "status": "failed",
      "assignedTo": "w2",
      "assignedAt": 1764000003000,
      "error": {},
      "failedAt": 1764000004000
    },
    "taken-back": {
      "id": "taken-back",
      "status": "pending",
      "assignedTo": null,
      "assignedAt": 1764000002500,
      "reassignedFrom": "gone",
      "reassignedAt": 1764000009000
    },
    "orphan": {
      "id": "orphan",
      "status": "assigned",
      "assignedTo": "gone",
      "assignedAt": 1764000002600
    },
    "odd": {
      "id": "odd",
      "status": "resting",
      "createdAt": 1763999999000,
      "assignedAt": 1764000002700
    },
    "by-list": {
      "id": "by-list",
      "status": "assigned",
      "assignedAt": 1764000002800
    }
  },
  "assignments": {
    "held": "w1",
    "by-list": {
      "workerId": "w2"
    }
  },
  "workerTasks": {
    "w1": [
      "held"
    ],
    "w2": []
  },
  "metadata": {},
  "timestamps": {
    "tasks:held": 1764000002000
  },
  "snapshot_timestamp": "2025-11-24T16:00:10.000Z",
  "metrics": {
    "operations": 12
  }
}
)";

/// Without the white space between tokens, as JSON.stringify(state) has it.
std::string compact(std::string_view text)
{
    std::string out;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (in_string && text[i] == '\\')
            out += text[i++];
        else if (text[i] == '"')
            in_string = !in_string;
        if (in_string || (text[i] != ' ' && text[i] != '\n'))
            out += text[i];
    }
    return out;
}

std::string refusal(const std::string& text)
{
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    REQUIRE_FALSE(loaded);
    return loaded.error();
}

std::int64_t ms(Timestamp at)
{
    return to_millis(at);
}

} // namespace

TEST_CASE("a snapshot of the original daemon loads, pretty-printed or compact", "[snapshot][original]")
{
    const bool is_compact = GENERATE(false, true);
    StateStore store{Limits{}};
    const auto loaded = load_text(is_compact ? compact(pretty) : pretty, store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    REQUIRE(*loaded);
    CHECK((*loaded)->workers == 2);
    CHECK((*loaded)->tasks == 7);
    CHECK(recount(store, Limits{}) == "");
    CHECK(store.revision() == (*loaded)->header.revision);
    CHECK(ms((*loaded)->header.saved_at) == 1764000010000);

    SECTION("workers are offline, with what they can do and have done")
    {
        const Worker& first = *store.workers().find("w1");
        CHECK_FALSE(first.online);
        CHECK(first.capabilities == store.capabilities().intern({"security", "development"}));
        CHECK(first.capabilities_json.view() == R"(["development","security"])");
        CHECK(first.metadata.view() == R"({"host":"a b"})");
        CHECK(first.active_tasks == 1); // what it holds, not what the file claims
        CHECK(first.completed_tasks == 3);
        CHECK(first.failed_tasks == 1);
        CHECK(ms(first.registered_at) == 1764000000000);
        CHECK(ms(first.last_heartbeat) == 1764000005000);
        CHECK(first.topics == 0); // the original's default says nothing
        const Worker& second = *store.workers().find("w2");
        CHECK(ms(second.registered_at) == 1764000000250);
        CHECK(second.topics != 0);
        CHECK(second.subscriptions.view() == R"(["tasks:set"])");
    }
    SECTION("a held task stays with its holder, at its first attempt")
    {
        const Task& held = *store.tasks().find("held");
        CHECK(held.status == TaskStatus::in_progress);
        CHECK(held.assigned_to.view() == "w1");
        CHECK(held.attempt == 1);
        CHECK(held.progress.view() == "50");
        CHECK(held.priority == Priority::high);
        CHECK(held.required == store.capabilities().intern({"development"}));
        CHECK(held.crash_limit == Limits{}.crash_limit);
        CHECK(ms(held.assigned_at) == 1764000001000);
        const Assignment& lease = *store.assignments().find("held");
        CHECK(lease.ordinal == held.fence);
        CHECK(lease.worker.view() == "w1");
        CHECK(store.tasks().find("by-list")->assigned_to.view() == "w2");
    }
    SECTION("the caller's fields are kept as they were written, in their order")
    {
        CHECK(
            store.tasks().find("held")->payload.view() ==
            R"("title":"two  spaces, \"quotes\" and a \n line","capabilities":["development"],"priority":"high",)"
            R"("context":{"dependencies":["a","b"]})");
        CHECK(store.tasks().find("older")->payload.empty());
    }
    SECTION("ended tasks keep their outcome and count in the totals")
    {
        const Task& older = *store.tasks().find("older");
        CHECK(older.status == TaskStatus::completed);
        CHECK(older.outcome.view() == R"({"output":[1,2]})");
        CHECK(ms(older.ended_at) == 1764000001500);
        CHECK(store.tasks().find("broken")->outcome.view() == "{}");
        CHECK(store.totals().processed == 1);
        CHECK(store.totals().failed == 1);
    }
    SECTION("what nobody holds waits, and what was held once is not at its first attempt any more when it "
            "goes out")
    {
        const Task& back = *store.tasks().find("taken-back");
        CHECK(back.status == TaskStatus::pending);
        CHECK(back.assigned_to.empty());
        CHECK(back.reassigned_from.view() == "gone");
        CHECK(back.attempt == 1);
        const Task& orphan = *store.tasks().find("orphan");
        CHECK(orphan.status == TaskStatus::pending);
        CHECK(orphan.attempt == 1);
        CHECK(orphan.assigned_to.empty());
        CHECK(store.tasks().find("odd")->status == TaskStatus::pending);
        CHECK(store.tasks().find("odd")->attempt == 0);
        CHECK((*loaded)->notes ==
              std::vector<std::string>{"1 tasks with an unknown status wait again (first: odd: resting)",
                                       "1 tasks whose worker is gone wait again (first: orphan: gone)"});
    }
    SECTION("tasks are in the order of their age")
    {
        std::vector<std::string> order;
        for (const auto& [ordinal, task] : store.tasks().rows())
            order.emplace_back(task.id.view());
        CHECK(order ==
              std::vector<std::string>{"odd", "older", "held", "taken-back", "orphan", "by-list", "broken"});
    }
    SECTION("saved by us and loaded again, it is the same")
    {
        StateStore again{Limits{}};
        const auto reloaded = load_text(snapshot_of(store), again);
        REQUIRE((reloaded ? "" : reloaded.error()) == "");
        CHECK(dump(again) == dump(store));
    }
}

TEST_CASE(
    "a snapshot of ours that the original has loaded and written again keeps attempts and raises fences",
    "[snapshot][original]")
{
    const auto text =
        R"({"workers":{"w1":{"id":"w1","capabilities":[],"_":{"ordinal":1,"idleSince":1,"capabilities":[]}}},
        "tasks":{"t1":{"id":"t1","n":1,"status":"assigned","assignedTo":"w1","attempt":3,"fence":70,"createdAt":5,
        "leasesLost":2,"_":{ "ordinal":60,"priority":"low","capabilities":[],"crashLimit":3}},
        "t2":{"id":"t2","_":{"mine":true},"status":"pending"}},
        "assignments":{"t1":"w1"},"workerTasks":{"w1":["t1"]},"metadata":{"totalTasksProcessed":12,"totalTasksFailed":3},
        "timestamps":{},"snapshot_timestamp":"2025-11-24T16:00:10.000Z","metrics":{}})";
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    const Task& task = *store.tasks().find("t1");
    CHECK(task.attempt == 3);
    CHECK(task.leases_lost == 2);
    CHECK(task.fence > 70);
    CHECK(task.payload.view() == R"("n":1)");
    CHECK(store.tasks().find("t2")->payload.view() == R"("_":{"mine":true})"); // not ours
    CHECK(store.totals().processed == 12);
    CHECK(store.totals().failed == 3);
    CHECK(recount(store, Limits{}) == "");
}

TEST_CASE("fields of a wrong kind are left out and noted, once for all rows", "[snapshot][original]")
{
    const auto text =
        R"({"workers":{"w1":{"registeredAt":"soon","capabilities":"all","metadata":[],"subscriptions":"*"}},
        "tasks":{"t1":{"status":"completed","completedAt":{},"progress":"50%","priority":9,"capabilities":[1,"a"]},
        "t2":{"status":7,"assignedAt":-5.5,"priority":1}}})";
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    REQUIRE((*loaded)->notes.size() == 1);
    CHECK_THAT((*loaded)->notes[0], Contains("3 rows") && Contains("w1"));
    CHECK(store.workers().find("w1")->capabilities_json.empty());
    CHECK(store.tasks().find("t1")->progress.empty());
    CHECK(store.tasks().find("t1")->priority == Priority::low);
    CHECK(store.tasks().find("t2")->priority == Priority::high);
    CHECK(store.tasks().find("t2")->status == TaskStatus::pending);
    StateStore again{Limits{}};
    CHECK(load_text(snapshot_of(store), again));
}

TEST_CASE("of a name that is there twice the last counts, as JavaScript reads it", "[snapshot][original]")
{
    const auto text = R"({"workers":{"w1":{"completedTasks":1},"w1":{"completedTasks":2}},
        "tasks":{"t1":{"n":1,"status":"assigned","assignedTo":"w1"},"t\u0031":{"n":2,"status":"assigned","assignedTo":"w1"}}})";
    StateStore store{Limits{}};
    const auto loaded = load_text(text, store);
    REQUIRE((loaded ? "" : loaded.error()) == "");
    CHECK((*loaded)->tasks == 1);
    CHECK(store.workers().find("w1")->completed_tasks == 2);
    CHECK(store.workers().find("w1")->active_tasks == 1);
    CHECK(store.tasks().find("t1")->payload.view() == R"("n":2)");
    CHECK(recount(store, Limits{}) == "");
}

TEST_CASE("what is no snapshot is refused with a line that says why", "[snapshot][original]")
{
    CHECK_THAT(refusal("[]"), Contains("not a JSON object"));
    CHECK_THAT(refusal("{}"), Contains("neither workers nor tasks"));
    CHECK_THAT(refusal(R"({"version":"1.0.0","tasks":[]})"), Contains("written by this daemon"));
    CHECK_THAT(refusal(R"({"tasks":[]})"), Contains("\"tasks\" is not an object"));
    CHECK_THAT(refusal(R"({"tasks":{"t1":null}})"), Contains("\"t1\" in \"tasks\""));
    CHECK_THAT(refusal(R"({"tasks":{"":{}}})"), Contains("in \"tasks\""));
    CHECK_THAT(refusal(std::string(pretty).substr(0, 1000)),
               Contains("not JSON at byte") && Contains("move it away"));
    CHECK_THAT(refusal(std::string(64, '\0')), Contains("not JSON at byte 0"));
}

TEST_CASE("a snapshot of the original, cut or changed anywhere, is loaded whole or refused",
          "[snapshot][original][random]")
{
    const auto seed = seed_of_run();
    INFO("COORD_SEED=" << seed);
    std::mt19937_64 random(seed);
    const std::string text = pretty;
    for (std::size_t size = 0; size + 2 < text.size(); ++size) {
        StateStore store{Limits{}};
        REQUIRE_FALSE(load_text(text.substr(0, size), store));
    }
    constexpr std::string_view likely = "\"{}[],:0123456789\\\n wt_-";
    for (int i = 0; i < 5000; ++i) {
        auto other = text;
        for (auto edits = 1 + random() % 3; edits > 0; --edits)
            other[random() % other.size()] = likely[random() % likely.size()];
        StateStore store{Limits{}};
        if (load_text(other, store))
            REQUIRE(recount(store, Limits{}) == "");
    }
}
