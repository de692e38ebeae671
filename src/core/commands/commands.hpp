#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"
#include "core/store/transaction.hpp"

#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The calls that change state, as values, and what each does. Each apply() is a plain function of the state,
/// the command and the time: first every refusal, then the writes, so that replaying ends in the same state.
namespace coordination {

/// Who speaks. A call over HTTP or from embedding code has neither.
struct Caller {
    SessionId session = 0;
    WorkerId worker{}; ///< the worker that registered over this connection; empty: none did
};

/// What a subscriber asked for.
struct Subscription {
    Text topics_json{}; ///< the array as it was written
    TopicMask topics = 0;
    bool values = false;
};

struct RegisterWorker {
    WorkerId id;
    std::vector<std::string> capabilities{};
    Text capabilities_json{};
    Text metadata{};
    std::optional<Subscription> subscription{};
};

struct UnregisterWorker {
    WorkerId id;
};

struct Heartbeat {
    WorkerId id;
};

/// The connection of a worker has ended.
struct CloseSession {
    WorkerId worker;
    SessionId session;
};

struct Subscribe {
    WorkerId worker;
    Subscription subscription;
};

/// What the caller tells of a task itself.
struct TaskData {
    Text payload{};
    std::vector<std::string> capabilities{};
    Priority priority = Priority::normal;
};

/// Now, or an error: nothing waits.
struct AssignTask {
    TaskId id;
    std::optional<WorkerId> worker{}; ///< none: the best one
    std::optional<TaskData> data{};   ///< none: what is known of the task
};

/// Which lease a caller means. Nothing named: see may_report().
struct LeaseClaim {
    std::optional<std::uint64_t> attempt{};
    std::optional<Revision> fence{};
    std::optional<WorkerId> worker{};

    bool names_lease() const noexcept { return attempt || fence; }
};

struct UpdateTask {
    TaskId id;
    LeaseClaim claim{};
    Text progress{}; ///< a JSON number; empty: not told
};

struct FinishTask {
    TaskId id;
    LeaseClaim claim{};
    bool completed; ///< else failed
    Text outcome{}; ///< the result or the error, JSON; empty: none
};

using Command = std::variant<RegisterWorker, UnregisterWorker, Heartbeat, CloseSession, Subscribe, AssignTask,
                             UpdateTask, FinishTask>;

/// What a command that was not refused came to.
struct Outcome {
    TaskId task{};            ///< the task it was about, if any
    WorkerId worker{};        ///< the worker it was about or that was chosen, if any
    bool duplicate = false;   ///< the same end as before: nothing was changed
    SessionId superseded = 0; ///< the connection that this registration takes the worker away from
    Revision revision = 0;    ///< of the last change it made; 0: it made none
};

using Result = tl::expected<Outcome, Error>;

Result apply(Transaction& tx, const RegisterWorker& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const UnregisterWorker& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const Heartbeat& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const CloseSession& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const Subscribe& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const AssignTask& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const UpdateTask& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const FinishTask& command, const Caller& caller, const Limits& limits);

/// A worker was silent for the heartbeat timeout: it is offline and its leases end. Not a client's call.
void time_out(Transaction& tx, const WorkerId& worker);

} // namespace coordination
