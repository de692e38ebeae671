#pragma once

#include "core/commands/commands.hpp"
#include "net/wire/fields.hpp"

#include <memory>

namespace coordination::wire {

/// What a call tells of a task itself: the members of `taskData` as they were written, and the fields that
/// steer the daemon, which may also stand beside `taskId` and then win. None where it tells nothing.
Read<std::optional<TaskData>> task_data_in(const Fields& fields);

/// How the call wants the task to be treated. Null: by default.
Read<Shared<TaskPolicy>> policy_in(const Fields& fields);

} // namespace coordination::wire
