#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

namespace coordination {
namespace {

Error superseded()
{
    return {ErrorCode::stale_attempt, "another connection speaks for this worker: register again"};
}

void apply_subscription(Worker& worker, const Subscription& subscription)
{
    worker.subscriptions = subscription.topics_json;
    worker.topics = subscription.topics;
    worker.wants_values = subscription.values;
    worker.coalesces = subscription.coalesce;
    worker.watch_budget = subscription.budget;
}

} // namespace

Error worker_not_found()
{
    return {ErrorCode::worker_not_found, "Worker not found"};
}

Result apply(Transaction& tx, const RegisterWorker& command, const Caller& caller, const Limits& limits)
{
    if (!caller.worker.empty() && caller.worker != command.id)
        return tl::unexpected(invalid_field("workerId",
                                            "the worker that this connection registered before: one "
                                            "connection speaks for one worker"));
    const Worker* known = tx.state().workers().find(command.id.view());
    if (!known && tx.state().workers().size() >= limits.workers_max)
        return tl::unexpected(
            Error{ErrorCode::too_many_workers,
                  "as many workers as may are registered: " + std::to_string(limits.workers_max) +
                      " (--workers-max); unregister those that will not come back"});
    Worker worker = known ? *known : Worker{.id = command.id};
    Outcome outcome{.worker = command.id};
    if (caller.session != 0) {
        if (worker.session != caller.session)
            outcome.superseded = worker.session;
        worker.session = caller.session;
        worker.pulls = false;
    }
    worker.capabilities = tx.store().capabilities().intern(command.capabilities);
    worker.capabilities_json = command.capabilities_json;
    worker.metadata = command.metadata;
    if (command.subscription)
        apply_subscription(worker, *command.subscription);
    if (!known) {
        worker.registered_at = tx.now();
        worker.idle_since = tx.next_revision();
    }
    worker.online = true; // one that drains goes on draining: it may only have lost its connection
    worker.last_seen = tx.now();
    worker.last_heartbeat = tx.now();
    tx.put(std::move(worker), Operation::set);
    return outcome;
}

Result apply(Transaction& tx, const UnregisterWorker& command, const Caller&, const Limits&)
{
    const Worker* known = tx.state().workers().find(command.id.view());
    if (!known)
        return tl::unexpected(worker_not_found());
    Worker leaving = *known;
    leaving.online = false;
    if (leaving.active_tasks > 0)
        end_all_leases(tx, leaving, Loss::handed_back);
    tx.erase<Worker>(command.id.view());
    return Outcome{.worker = command.id};
}

Result apply(Transaction& tx, const Heartbeat& command, const Caller& caller, const Limits&)
{
    if (!caller.worker.empty() && caller.worker != command.id)
        return tl::unexpected(invalid_field("workerId", "the worker of this connection"));
    const Worker* known = tx.state().workers().find(command.id.view());
    if (!known)
        return tl::unexpected(worker_not_found());
    if (!caller.worker.empty() && known->session != caller.session)
        return tl::unexpected(superseded());
    if (!known->online) {
        Worker returned = *known;
        returned.online = true;
        returned.last_seen = tx.now();
        returned.last_heartbeat = tx.now();
        tx.put(std::move(returned), Operation::update);
    }
    tx.store().touch(command.id.view(), tx.now(), true);
    return Outcome{.worker = command.id};
}

Result apply(Transaction& tx, const CloseSession& command, const Caller&, const Limits&)
{
    const Worker* known = tx.state().workers().find(command.worker.view());
    if (!known || known->session != command.session)
        return Outcome{}; // it speaks over a newer connection, or left
    Worker gone = *known;
    gone.session = 0;
    gone.online = false;
    tx.put(std::move(gone), Operation::update);
    return Outcome{.worker = command.worker};
}

Result apply(Transaction& tx, const Subscribe& command, const Caller& caller, const Limits&)
{
    const Worker* known = tx.state().workers().find(command.worker.view());
    if (!known)
        return tl::unexpected(worker_not_found());
    if (known->session != caller.session)
        return tl::unexpected(superseded());
    Worker subscriber = *known;
    apply_subscription(subscriber, command.subscription);
    tx.put(std::move(subscriber), Operation::update);
    return Outcome{.worker = command.worker};
}

void time_out(Transaction& tx, const WorkerId& id)
{
    Worker silent = *tx.state().workers().find(id.view());
    silent.online = false;
    end_all_leases(tx, std::move(silent), Loss::crash);
}

} // namespace coordination
