#pragma once

#include "core/bus/message.hpp"
#include "core/store/records.hpp"

#include <string>

namespace coordination {

// A row as it is saved, in a snapshot and in the log: the text of the wire, and in `_` what that does not
// show. On one line.

void append_row(std::string& out, const Worker& worker);
void append_row(std::string& out, const Task& task);
void append_row(std::string& out, const BusMessage& message);

} // namespace coordination
