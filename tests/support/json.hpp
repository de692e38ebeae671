#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace coordination::testing {

using Json = boost::json::value;

/// Numbers keep the value that a JavaScript client would see; a text that is no JSON throws and is shown.
Json parse(std::string_view text);

/// The field at a dotted path ("task.status", "tasks.0.id"). Throws, showing the document, where there is
/// none.
const Json& field(const Json& document, std::string_view path);
bool has(const Json& document, std::string_view path);

std::string text(const Json& document, std::string_view path);
std::int64_t integer(const Json& document, std::string_view path);
double number(const Json& document, std::string_view path);

/// How often `part` occurs: for what a JSON parser would hide, such as a name given twice.
std::size_t occurrences(std::string_view whole, std::string_view part);

} // namespace coordination::testing
