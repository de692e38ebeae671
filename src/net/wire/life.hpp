#pragma once

#include "core/commands/commands.hpp"
#include "net/wire/fields.hpp"

/// The calls about the life of tasks and workers, from the fields of a message: as in commands.hpp.
namespace coordination::wire {

Read<SubmitTasks> submit_task(const Fields& fields, const Bounds& bounds);
Read<SubmitTasks> submit_batch(const Fields& fields, const Bounds& bounds);
Read<CancelTask> cancel_task(const Fields& fields, const Bounds& bounds);
Read<RetryTask> retry_task(const Fields& fields, const Bounds& bounds);
Read<Redrive> redrive(const Fields& fields, const Bounds& bounds);
Read<DeleteTask> delete_task(const Fields& fields, const Bounds& bounds);
Read<PurgeTasks> purge_tasks(const Fields& fields, const Bounds& bounds);
Read<ClaimTasks> claim_tasks(const Fields& fields, const Bounds& bounds);
Read<DrainWorker> drain_worker(const Fields& fields, const Bounds& bounds);
Read<Goodbye> goodbye(const Fields& fields, const Bounds& bounds);

} // namespace coordination::wire
