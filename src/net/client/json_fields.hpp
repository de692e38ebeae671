#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace coordination::net_client {

/// Reading what a daemon, a file or a user wrote: a field that is missing or of another type is just not
/// there. The views and references stay valid as long as the object.

std::optional<std::string_view> find_string(const boost::json::object& object, std::string_view name);
std::optional<std::int64_t> find_integer(const boost::json::object& object, std::string_view name);
std::optional<double> find_number(const boost::json::object& object, std::string_view name);
const boost::json::object* find_object(const boost::json::object& object, std::string_view name);
const boost::json::array* find_array(const boost::json::object& object, std::string_view name);
const boost::json::value* find_value(const boost::json::object& object, std::string_view name); ///< not null

std::string string_or(const boost::json::object& object, std::string_view name, std::string_view otherwise);
std::int64_t integer_or(const boost::json::object& object, std::string_view name, std::int64_t otherwise);

} // namespace coordination::net_client
