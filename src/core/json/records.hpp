#pragma once

#include "core/store/change.hpp"

#include <string>

/// The rows as JSON objects, as they go over the wire; snapshots hold the same text with a few more members.
namespace coordination::json {

void append_task(std::string& out, const Task& task);
void append_worker(std::string& out, const Worker& worker);
void append_assignment(std::string& out, const Assignment& assignment);

/// The names that the daemon owns in a task: they win over the same names in what the caller tells of it.
bool owns_task_field(std::string_view key);

} // namespace coordination::json
