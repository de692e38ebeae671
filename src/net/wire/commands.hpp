#pragma once

#include "core/commands/commands.hpp"
#include "net/wire/fields.hpp"

/// The calls, from the fields of a message. Each field that the call knows is checked; what it does not know
/// is left alone.
namespace coordination::wire {

Read<RegisterWorker> register_worker(const Fields& fields, const Bounds& bounds);
Read<UnregisterWorker> unregister_worker(const Fields& fields, const Bounds& bounds);
Read<Heartbeat> heartbeat(const Fields& fields, const Bounds& bounds);
Read<AssignTask> assign_task(const Fields& fields, const Bounds& bounds);
Read<FinishTask> complete_task(const Fields& fields, const Bounds& bounds);
Read<FinishTask> fail_task(const Fields& fields, const Bounds& bounds);

/// A `task_update`: reports progress or ends the task.
Read<Command> update_task(const Fields& fields, const Bounds& bounds);

Read<Subscription> subscription_in(std::string_view topics, std::string_view name);

} // namespace coordination::wire
