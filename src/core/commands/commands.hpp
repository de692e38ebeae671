#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"
#include "core/store/transaction.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <memory>
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
    bool coalesce = false;    ///< at the budget: keep the newest change of each key; else be cut off
    std::uint64_t budget = 0; ///< bytes of changes that may wait for it; 0: as many as anybody may have
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
    bool partial = false; ///< of a known task only what stands here is to differ
};

/// Now, or an error: nothing waits.
struct AssignTask {
    TaskId id;
    std::optional<WorkerId> worker{};           ///< none: the best one
    std::optional<TaskData> data{};             ///< none: what is known of the task
    Shared<TaskPolicy> policy{}; ///< none: what is known of it
};

/// A task to be done when its time has come and a worker can take it.
struct NewTask {
    TaskId id;
    TaskData data;
    Shared<TaskPolicy> policy{};
    std::uint64_t body = 0; ///< a hash of what was asked for, so that a repeat is known as one
};

/// All of them or none. They may depend on each other, in any order.
struct SubmitTasks {
    std::vector<NewTask> tasks;
};

struct CancelTask {
    TaskId id;
    std::optional<std::chrono::milliseconds> grace; ///< for the holder to stop; none: the default
    std::string reason;                             ///< for people; may be empty
};

/// Which tasks are meant. What is empty admits all.
struct TaskFilter {
    std::optional<TaskStatus> status;
    std::string capability; ///< among those that it asks for
    std::string code;       ///< of the error that it ended with
    std::optional<Timestamp> ended_before;
    Revision after = 0; ///< only tasks whose ordinal is above it: where the last call stopped
    std::size_t limit = 1000;
};

/// Brings back a task that has failed or was cancelled; lets one that waits for its next attempt go at once.
struct RetryTask {
    TaskId id;
};

/// The same for all that the filter admits: failed ones, unless it says cancelled.
struct Redrive {
    TaskFilter filter;
    bool dry_run = false; ///< only tell which
};

/// Forgets a task that has ended.
struct DeleteTask {
    TaskId id;
};

/// The same for all ended ones that the filter admits.
struct PurgeTasks {
    TaskFilter filter;
    bool dry_run = false;
};

/// A worker that is to leave: it is given nothing more, and what it holds at the deadline goes to others.
struct DrainWorker {
    WorkerId id;
    bool drain = true;                                 ///< false: it takes work again
    std::optional<std::chrono::milliseconds> deadline; ///< none: it ends what it holds
};

/// A worker leaves in good order: its tasks go to others at once, none counted as lost.
struct Goodbye {
    WorkerId id;
};

/// A worker without a connection fetches work. From then on nothing is sent to it.
struct ClaimTasks {
    WorkerId worker;
    std::size_t max = 1;
    bool resume = false; ///< tell again what it holds, since it may have lost the last answer
    std::chrono::milliseconds wait{
        0}; ///< for whoever runs the engine: how long to ask again if there is none
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
    bool completed;               ///< else failed
    Text outcome{};               ///< the result or the error, JSON; empty: none
    bool confirms_cancel = false; ///< neither: the holder has stopped as it was asked to
};

/// To all who subscribe to its topic now, or to one recipient.
struct PublishMessage {
    MessageId id{}; ///< empty: the bus makes one
    Text topic{};
    Text payload{}; ///< JSON on one line
    Text sender{};  ///< of a caller that speaks for no worker
    WorkerId recipient{};
    Priority priority = Priority::normal;
    bool priority_as_number = false;
    Guarantee guarantee = Guarantee::at_least_once;
    std::uint32_t max_retries = 3;
    std::optional<std::chrono::milliseconds> ttl{}; ///< none: the default
};

/// A receiver has it.
struct AckMessage {
    MessageId id;
    WorkerId worker{}; ///< of a caller that speaks for no worker: the receiver
};

/// A worker's topics are kept with it. Those of a caller that speaks for none are its connection's, and no
/// state.
struct SubscribeMessages {
    MessageTopics topics; ///< beside those that it has
};
struct UnsubscribeMessages {
    std::optional<MessageTopics> topics; ///< none: all
};

/// The bus gives a message up. It becomes a dead letter. Not a client's call.
struct BuryMessage {
    PostPtr post;
    std::vector<WorkerId> receivers{}; ///< for these workers
    bool everyone = false;             ///< for all that have not got it
    std::vector<SessionId> sockets{};  ///< for these connections, which are no workers'
    std::string_view reason;           ///< a code
};

using Command = std::variant<RegisterWorker, UnregisterWorker, Heartbeat, CloseSession, Subscribe, AssignTask,
                             UpdateTask, FinishTask, SubmitTasks, CancelTask, RetryTask, Redrive, DeleteTask,
                             PurgeTasks, DrainWorker, Goodbye, ClaimTasks, PublishMessage, AckMessage,
                             SubscribeMessages, UnsubscribeMessages, BuryMessage>;

/// What a command that was not refused came to.
struct Outcome {
    TaskId task{};            ///< the task it was about, if any
    WorkerId worker{};        ///< the worker it was about or that was chosen, if any
    bool duplicate = false;   ///< the same end as before: nothing was changed
    SessionId superseded = 0; ///< the connection that this registration takes the worker away from
    Revision revision = 0;    ///< of the last change it made; 0: it made none
    struct Named {
        TaskId task;
        bool duplicate = false; ///< it was there before
    };
    std::vector<Named> tasks{}; ///< where the command is about many: which
    Revision next = 0;          ///< the filter's `after` for the rest; 0: there is none
    MessageId message{};        ///< the message it was about, if any
    PostPtr post{};             ///< it is to be delivered
    std::size_t lost = 0;       ///< dead letters that had to go for it
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
Result apply(Transaction& tx, const SubmitTasks& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const CancelTask& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const RetryTask& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const Redrive& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const DeleteTask& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const PurgeTasks& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const DrainWorker& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const Goodbye& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const ClaimTasks& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const PublishMessage& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const AckMessage& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const SubscribeMessages& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const UnsubscribeMessages& command, const Caller& caller, const Limits& limits);
Result apply(Transaction& tx, const BuryMessage& command, const Caller& caller, const Limits& limits);

/// A worker was silent for the heartbeat timeout: it is offline and its leases end. Not a client's call.
void time_out(Transaction& tx, const WorkerId& worker);
/// Its drain has come to its deadline: what it holds goes to others.
void end_drain(Transaction& tx, const WorkerId& worker);
/// Something has happened to what a waiting task depends on. Writes nothing where that changes nothing.
void resolve_dependencies(Transaction& tx, const Task& waiting);
/// A time that the task waited for has come: see due_of().
void pass_time(Transaction& tx, const Task& due);

Error task_not_found();
Error worker_not_found();
Error task_conflict(const Task& task);
/// Whether no task may be added: as many as may have not ended.
bool is_full_of_tasks(const StateStore& state, const Limits& limits) noexcept;
Error too_many_tasks(const Limits& limits);
Error too_many_topics();

} // namespace coordination
