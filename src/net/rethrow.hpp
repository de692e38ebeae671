#pragma once

#include <exception>

namespace coordination {

/// For co_spawn: an exception that leaves one of our coroutines is a bug, and ends the process
/// instead of being lost.
inline constexpr auto rethrow = [](const std::exception_ptr& bug) {
    if (bug)
        std::rethrow_exception(bug);
};

} // namespace coordination
