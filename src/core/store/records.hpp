#pragma once

#include "core/schedule/capabilities.hpp"
#include "core/store/policy.hpp"
#include "core/text.hpp"
#include "core/types.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace coordination {

/// A unit of work, as one row of the `tasks` collection. A value: copies are cheap (see Text), so that a
/// watcher, the rollback journal and a frozen view may each keep what it was at their revision.
struct Task {
    TaskId id{};
    Text payload{}; ///< the caller's fields as JSON members, no braces, no daemon-owned name among them
    Capabilities required{}; ///< never null
    Priority priority = Priority::normal;
    TaskStatus status = TaskStatus::pending;
    std::uint32_t attempt = 0;     ///< the ordinal of the latest assignment; 0: never assigned
    std::uint32_t leases_lost = 0; ///< assignments that ended because the worker was gone
    std::uint32_t crash_limit = 0; ///< `leases_lost` at which the task fails
    std::uint32_t failures = 0;    ///< attempts that were reported as failed, or took too long
    std::uint32_t outstanding = 0; ///< dependencies that it still waits for
    Revision ordinal = 0;          ///< the revision that created it: the order of age
    Revision fence = 0;            ///< the revision at which the latest assignment began
    WorkerId assigned_to{};        ///< the holder, or who held it when it ended; empty while pending
    WorkerId reassigned_from{};    ///< who held it before, where it was taken back
    Text progress{};               ///< a JSON number as it was reported; empty: none
    Text outcome{};                ///< `result` (completed) or `error` (failed), JSON; empty: none
    Timestamp created_at{};
    Timestamp last_update{};
    Timestamp assigned_at{};
    Timestamp ended_at{};
    Timestamp reassigned_at{};
    Timestamp not_before{}; ///< while pending: it waits for this time; a due timer clears it
    Timestamp ready_at{};   ///< when it last became ready by time or by its dependencies; zero: when created
    Timestamp cancel_by{};  ///< its cancellation was acknowledged: the lease ends then at the latest
    Timestamp started_at{}; ///< the live attempt's first sign of progress
    Revision started = 0;   ///< its revision
    Revision ended = 0;     ///< the revision at which it reached a terminal status
    std::uint64_t body = 0; ///< a hash, of 63 bits, of the call that submitted it; 0: none did
    Shared<TaskPolicy> policy{}; ///< none: all by default
    Shared<PastAttempts> past{}; ///< none: the live attempt, if any, is the first

    /// It waits for nothing but a worker.
    bool ready() const noexcept
    {
        return status == TaskStatus::pending && not_before == Timestamp{} && outstanding == 0;
    }
    /// From when its waiting counts.
    Timestamp waiting_since() const noexcept { return std::max(created_at, ready_at); }
    bool cancel_requested() const noexcept { return cancel_by != Timestamp{}; }
};

/// What a connection wants to hear: a bit per (collection, operation), see topics.hpp.
using TopicMask = std::uint32_t;

/// The topics whose messages a subscriber gets, sorted, each once.
using MessageTopics = std::vector<std::string>;

/// A registered executor, as one row of the `workers` collection.
struct Worker {
    WorkerId id{};
    Capabilities capabilities{};    ///< never null
    Text capabilities_json{};       ///< the array as it was written
    Text metadata{};                ///< a JSON object as it was written; empty: none was given
    Text subscriptions{};           ///< JSON array of topics; empty: never subscribed
    TopicMask topics = 0;           ///< the same, compiled
    bool wants_values = false;      ///< whether `state_change` carries the whole value
    bool coalesces = false;         ///< whether it is told the newest changes only, where it reads too slowly
    std::uint64_t watch_budget = 0; ///< bytes of changes that may wait for it; 0: the most there is
    std::shared_ptr<const MessageTopics> message_topics{}; ///< none: no messages but those sent to itself
    bool online = false;
    bool draining = false; ///< it keeps what it holds and is given nothing
    bool pulls = false;    ///< it fetches its work by claims: nothing is sent to it
    std::uint32_t active_tasks = 0;
    std::uint64_t completed_tasks = 0;
    std::uint64_t failed_tasks = 0;
    Revision ordinal = 0;    ///< the revision that created it
    Revision idle_since = 0; ///< the revision at which its load last changed: the order of idleness
    SessionId session = 0;   ///< the connection it speaks over; 0: none. Not persisted.
    Timestamp drain_by{};    ///< while draining: its leases end then at the latest; zero: when they do
    Timestamp registered_at{};
    Timestamp last_heartbeat{}; ///< liveness, not state: touched without a revision
    Timestamp last_seen{};      ///< likewise

    WorkerStatus status() const noexcept
    {
        if (!online)
            return WorkerStatus::offline;
        if (draining)
            return WorkerStatus::draining;
        return active_tasks > 0 ? WorkerStatus::busy : WorkerStatus::idle;
    }
};

/// A live lease: one worker holds one task. A row of the `assignments` collection, keyed by the task.
struct Assignment {
    TaskId id{}; ///< the task
    WorkerId worker{};
    std::uint32_t attempt = 0;
    Revision ordinal = 0; ///< the fence
    Timestamp assigned_at{};
};

/// What was done since the state began, whether the tasks are still kept or not: the collection `metadata`.
struct Totals {
    std::uint64_t processed = 0; ///< tasks completed
    std::uint64_t failed = 0;
};

} // namespace coordination
