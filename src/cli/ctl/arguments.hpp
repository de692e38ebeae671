#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <tl/expected.hpp>

namespace coordination::ctl {

/// Reading what stands on the command line. The errors are lines for people, without what they are about.

/// "a,b" as {"a", "b"}; blanks around the names and empty names are left out.
std::vector<std::string> parse_list(std::string_view text);

/// JSON, or @FILE with JSON in it (@- reads standard input).
tl::expected<boost::json::value, std::string> read_json_argument(const std::string& text);
tl::expected<boost::json::object, std::string> read_object_argument(const std::string& text);

tl::expected<std::string, std::string> read_file(const std::string& path);

/// The JSON in `text`, or "line 3, column 7: …".
tl::expected<boost::json::value, std::string> parse_json(std::string_view text);

} // namespace coordination::ctl
