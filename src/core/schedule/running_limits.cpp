#include "core/schedule/running_limits.hpp"

#include "core/json/slice.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace coordination {
namespace {

/// The value of a field as it was written; empty: the task has none.
std::string value_in(std::string_view payload, std::string_view field)
{
    std::string object = "{";
    object.append(payload).append("}");
    std::string value;
    json::Members members(object);
    while (const auto member = members.next())
        if (member->named(field))
            value = member->value == "null" ? "" : member->value;
    return value;
}

} // namespace

std::optional<RunningLimit> running_limit_in(std::string_view text)
{
    const auto colon = text.find(':');
    const auto equals = text.rfind('=');
    if (colon == std::string_view::npos || equals == std::string_view::npos || equals <= colon + 1)
        return std::nullopt;
    RunningLimit limit;
    const auto digits = text.substr(equals + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), limit.most);
    if (failure != std::errc{} || end != digits.data() + digits.size() || limit.most == 0)
        return std::nullopt;
    const auto kind = text.substr(0, colon);
    (kind == "capability" ? limit.capability : limit.field) = text.substr(colon + 1, equals - colon - 1);
    if (kind != "capability" && kind != "field")
        return std::nullopt;
    return limit;
}

RunningGroups RunningLimits::groups_of(const std::vector<std::string>& names, std::string_view payload)
{
    RunningGroups groups;
    for (const auto& limit : limits_) {
        if (!limit.capability.empty()) {
            if (std::ranges::find(names, limit.capability) != names.end())
                groups.push_back(group("capability " + limit.capability, limit.most));
        } else if (auto value = value_in(payload, limit.field); !value.empty()) {
            groups.push_back(group(limit.field + " " + value, limit.most));
        }
    }
    return groups;
}

std::shared_ptr<RunningGroup> RunningLimits::group(std::string name, std::uint32_t most)
{
    if (auto known = groups_[name].lock())
        return known;
    if (groups_.size() >= sweep_at_) {
        std::erase_if(groups_, [](const auto& entry) { return entry.second.expired(); });
        sweep_at_ = std::max<std::size_t>(1024, 2 * groups_.size());
    }
    auto fresh = std::make_shared<RunningGroup>(RunningGroup{.name = name, .most = most});
    groups_[std::move(name)] = fresh;
    return fresh;
}

} // namespace coordination
