#pragma once

#include "core/error.hpp"
#include "core/store/policy.hpp"

#include <tl/expected.hpp>

#include <string_view>

/// The fields by which a caller tells how a task is to be treated.
namespace coordination::json {

/// Whether a field of that name is one of them.
bool steers(std::string_view name) noexcept;

/// `members`: valid JSON members, no braces around; other names among them are left alone. Null where none of
/// them is there. INVALID_FIELD, naming it, where one is of a wrong type.
tl::expected<Shared<TaskPolicy>, Error> policy_in(std::string_view members);

} // namespace coordination::json
