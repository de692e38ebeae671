#include "core/commands/commands.hpp"
#include "core/commands/lease.hpp"

#include <algorithm>

namespace coordination {

Result apply(Transaction& tx, const DrainWorker& command, const Caller&, const Limits&)
{
    const Worker* known = tx.state().workers().find(command.id.view());
    if (!known)
        return tl::unexpected(worker_not_found());
    Worker worker = *known;
    worker.draining = command.drain;
    worker.drain_by = Timestamp{};
    if (command.drain && command.deadline)
        worker.drain_by = tx.now() + *command.deadline;
    Outcome outcome{.worker = worker.id};
    if (worker.draining == known->draining && worker.drain_by == known->drain_by)
        outcome.duplicate = true;
    else
        tx.put(std::move(worker), Operation::update);
    return outcome;
}

void end_drain(Transaction& tx, const WorkerId& id)
{
    Worker worker = *tx.state().workers().find(id.view());
    worker.drain_by = Timestamp{};
    end_all_leases(tx, std::move(worker), Loss::handed_back);
}

Result apply(Transaction& tx, const Goodbye& command, const Caller& caller, const Limits&)
{
    if (!caller.worker.empty() && caller.worker != command.id)
        return tl::unexpected(invalid_field("workerId", "the worker of this connection"));
    const Worker* known = tx.state().workers().find(command.id.view());
    if (!known)
        return tl::unexpected(worker_not_found());
    Outcome outcome{.worker = command.id};
    if (!known->online && !known->draining && known->active_tasks == 0) {
        outcome.duplicate = true;
        return outcome;
    }
    Worker leaving = *known;
    leaving.online = false;
    leaving.draining = false; // it has come to its end: whoever registers under this id next is a new worker
    leaving.drain_by = Timestamp{};
    end_all_leases(tx, std::move(leaving), Loss::handed_back);
    return outcome;
}

} // namespace coordination
