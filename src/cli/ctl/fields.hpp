#pragma once

#include <string>

#include "net/client/json_fields.hpp"

namespace coordination::ctl {

using net_client::find_array;
using net_client::find_integer;
using net_client::find_number;
using net_client::find_object;
using net_client::find_string;
using net_client::find_value;
using net_client::integer_or;
using net_client::string_or;

/// The strings of an array, "a, b"; "-" where there are none. Fit for a terminal.
std::string joined(const boost::json::array* array);

} // namespace coordination::ctl
