#pragma once

#include <optional>
#include <string_view>

#include <boost/json/object.hpp>

namespace coordination::net_client {

/// What a daemon wrote, where it is a JSON object. However deep a daemon may be set to let values in
/// (`--json-depth-max`, 64 unless told otherwise), its clients read what comes out again.
std::optional<boost::json::object> parse_object(std::string_view text);

} // namespace coordination::net_client
