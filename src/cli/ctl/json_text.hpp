#pragma once

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace coordination::ctl {

/// JSON as people and Cortex write it: 0.95, not 9.5E-1 as Boost does. Object members keep their order.
std::string compact_json(const boost::json::value& value);

/// The same with two blanks of indentation, as JSON.stringify(value, null, 2) lays it out.
std::string pretty_json(const boost::json::value& value);

} // namespace coordination::ctl
