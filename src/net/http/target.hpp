#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coordination {

/// What a request asks for: `/api/tasks/a%2Fb?x=1`, taken apart. An encoded slash is part of its segment.
struct Target {
    std::vector<std::string> path; ///< segments, decoded
    std::vector<std::pair<std::string, std::string>> query;

    /// Empty where there is none: `?status=` asks for nothing.
    std::string_view query_value(std::string_view name) const noexcept;
};

/// None where an escape is broken, or it does not begin with a slash.
std::optional<Target> parse_target(std::string_view target);

} // namespace coordination
