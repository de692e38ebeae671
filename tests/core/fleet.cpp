#include "core/fleet.hpp"

#include <stdexcept>
#include <utility>

namespace coordination::testing {

Result Fleet::call(const Command& command, const Caller& caller)
{
    auto result = engine.execute(command, caller, now, effects);
    engine.settle(now, effects);
    return result;
}

void Fleet::advance(std::chrono::milliseconds time)
{
    const auto end = now + time;
    for (auto due = engine.next_deadline(); due && *due <= end; due = engine.next_deadline()) {
        now = std::max(now, *due);
        engine.expire(now, effects);
        engine.settle(now, effects);
    }
    now = end;
}

Caller Fleet::join(std::string_view id, std::vector<std::string> capabilities)
{
    const Caller connection{.session = ++last_session_};
    RegisterWorker registration{.id = WorkerId(id), .capabilities = std::move(capabilities)};
    if (!call(registration, connection))
        throw std::logic_error("the worker was refused");
    return {connection.session, WorkerId(id)};
}

void Fleet::leave(const Caller& worker)
{
    static_cast<void>(call(CloseSession{worker.worker, worker.session}));
}

Result Fleet::heartbeat(const Caller& worker)
{
    return call(Heartbeat{worker.worker}, worker);
}

Result Fleet::assign(std::string_view task, std::vector<std::string> capabilities, Priority priority)
{
    TaskData data{.capabilities = std::move(capabilities), .priority = priority};
    return call(AssignTask{.id = TaskId(task), .data = std::move(data)});
}

Result Fleet::assign_to(std::string_view worker, std::string_view task, std::vector<std::string> capabilities)
{
    TaskData data{.capabilities = std::move(capabilities)};
    return call(AssignTask{.id = TaskId(task), .worker = WorkerId(worker), .data = std::move(data)});
}

Result Fleet::update(std::string_view task, const Caller& caller, const LeaseClaim& claim)
{
    return call(UpdateTask{.id = TaskId(task), .claim = claim}, caller);
}

Result Fleet::complete(std::string_view task, const Caller& caller, const LeaseClaim& claim)
{
    return call(FinishTask{.id = TaskId(task), .claim = claim, .completed = true}, caller);
}

Result Fleet::fail(std::string_view task, const Caller& caller, const LeaseClaim& claim)
{
    return call(FinishTask{.id = TaskId(task), .claim = claim, .completed = false}, caller);
}

const Task& Fleet::task(std::string_view id) const
{
    const Task* found = engine.store().tasks().find(id);
    if (!found)
        throw std::logic_error("no task " + std::string(id));
    return *found;
}

const Worker& Fleet::worker(std::string_view id) const
{
    const Worker* found = engine.store().workers().find(id);
    if (!found)
        throw std::logic_error("no worker " + std::string(id));
    return *found;
}

std::string Fleet::holder(std::string_view task) const
{
    const Assignment* lease = engine.store().assignments().find(task);
    return lease ? std::string(lease->worker.view()) : std::string();
}

std::vector<std::string> Fleet::deliveries()
{
    std::vector<std::string> told;
    for (const auto& delivery : std::exchange(effects.deliveries, {}))
        told.push_back(std::string(delivery.task.id.view()) + ">" + std::to_string(delivery.session));
    return told;
}

} // namespace coordination::testing
