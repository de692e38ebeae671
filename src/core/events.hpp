#pragma once

#include "core/store/records.hpp"

#include <string_view>
#include <vector>

namespace coordination {

/// One transition in a task's life.
struct TaskEvent {
    std::string_view what; ///< the status entered, or how an attempt ended, or `retried`
    Revision revision = 0;
    Timestamp at{};
    std::uint32_t attempt = 0;
    WorkerId worker{};
    Text reason{}; ///< JSON; empty: none
};

/// A task's life so far, oldest first, read off its row: nothing is kept for it that the row does not hold,
/// so it is as durable as the task.
std::vector<TaskEvent> events_of(const Task& task);

} // namespace coordination
