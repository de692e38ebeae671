#pragma once

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/types.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coordination::wire {

/// What is accepted from a caller.
struct Bounds {
    std::size_t id_bytes_max;
    std::size_t json_depth_max;
    std::size_t subscription_bytes_max = SIZE_MAX; ///< the largest budget of a subscriber
};

/// The members of a call that the daemon knows, as JSON text. Empty: absent, or null, which says the same.
/// Where a name is repeated, the last counts, as in JavaScript.
///
/// Ownership  Views into the message.
struct Fields {
    std::string_view type;
    std::string_view request_id;
    std::string_view task_id;
    std::string_view worker_id;
    std::string_view capabilities;
    std::string_view metadata;
    std::string_view topics;
    std::string_view since;
    std::string_view values;
    std::string_view status;
    std::string_view progress;
    std::string_view result; ///< null is a result
    std::string_view error;  ///< likewise
    std::string_view attempt;
    std::string_view fence;
    std::string_view task_data;
    std::string_view priority;
    std::string_view message;               ///< all of it: calls with fields of their own look there
    std::vector<std::string_view> steering; ///< whole members that tell how a task is to be treated
};

template <class T>
using Read = tl::expected<T, Error>;

/// The whole message: exactly one JSON object.
Read<Fields> fields_of(std::string_view message, std::size_t json_depth_max);
/// The same for an object that stands in a message that was checked.
Fields fields_in(std::string_view object);
/// The value of a field that only one call has; empty: absent or null.
std::string_view field_in(const Fields& fields, std::string_view name);

/// Each reads one field that is present; INVALID_FIELD, naming it, where it is of a wrong type.
Read<std::string> string_in(std::string_view value, std::string_view name);
Read<std::uint64_t> natural_in(std::string_view value, std::string_view name, std::uint64_t least);
Read<bool> boolean_in(std::string_view value, std::string_view name);
/// An array of strings, none of them empty.
Read<std::vector<std::string>> strings_in(std::string_view value, std::string_view name);
Read<void> check_object(std::string_view value, std::string_view name);
/// 0 to 100.
Read<void> check_progress(std::string_view value, std::string_view name);

/// MISSING_FIELD where there is none or it is empty.
Read<std::string> id_in(std::string_view value, std::string_view name, const Bounds& bounds);

/// A value to be kept as it was written, on one line: files keep a row a line. In valid JSON a raw line break
/// can only stand between tokens, where a blank says the same.
std::string on_one_line(std::string json);
Text text_on_one_line(std::string_view json);

} // namespace coordination::wire
