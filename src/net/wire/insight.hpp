#pragma once

#include "core/explain.hpp"

#include <string>

/// What the daemon tells of a task beyond its row.
namespace coordination::wire {

/// `{"taskId",…,"reasons":[…]}`: why it is where it is, at this revision.
void append_explanation(std::string& out, const StateStore& state, const Task& task, Timestamp now);

/// `{"taskId",…,"events":[…]}`: every transition, oldest first.
void append_events(std::string& out, const Task& task);

} // namespace coordination::wire
