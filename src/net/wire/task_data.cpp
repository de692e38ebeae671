#include "net/wire/task_data.hpp"

#include "core/json/policy.hpp"
#include "core/json/records.hpp"
#include "core/json/slice.hpp"

#include <algorithm>
#include <utility>

namespace coordination::wire {
namespace {

/// A steering field: its JSON, and whether the top level of the call told it.
struct Steering {
    std::string_view name;
    std::string_view value;
    bool on_top = false;
    bool written = false; ///< into the payload

    Steering(std::string_view field, std::string_view top) : name(field), value(top), on_top(!top.empty()) {}
};

void append_member(std::string& payload, std::string_view member)
{
    if (!payload.empty())
        payload += ',';
    payload += member;
}

void append_steering(std::string& payload, Steering& field)
{
    if (!std::exchange(field.written, true))
        append_member(payload, "\"" + std::string(field.name) + "\":" + std::string(field.value));
}

/// The members of `object`, without the names that the daemon owns, on one line.
std::string payload_of(const Fields& fields, Steering& capabilities, Steering& priority)
{
    const auto object = fields.task_data;
    const auto stands_on_top = [&](std::string_view name) { // and then is shown from there
        return std::ranges::any_of(fields.steering, [&](std::string_view whole) {
            return whole.substr(1, whole.find('"', 1) - 1) == name;
        });
    };
    std::string payload;
    payload.reserve(object.size() + fields.capabilities.size() + fields.priority.size() + 32);
    std::string resolved;
    json::Members members(object.empty() ? "{}" : object);
    while (const auto member = members.next()) {
        std::string_view name = member->key;
        if (name.find('\\') != std::string_view::npos)
            name = resolved = json::unescaped(name);
        if (json::owns_task_field(name) || stands_on_top(name))
            continue;
        Steering* steering =
            name == capabilities.name ? &capabilities : (name == priority.name ? &priority : nullptr);
        if (steering && steering->on_top) {
            append_steering(payload, *steering);
            continue;
        }
        if (steering)
            steering->value = json::kind_of(member->value) == json::Kind::null ? "" : member->value;
        append_member(payload, member->whole);
    }
    for (auto* steering : {&capabilities, &priority})
        if (steering->on_top)
            append_steering(payload, *steering);
    return on_one_line(std::move(payload));
}

Read<Priority> priority_in(std::string_view value)
{
    auto name = string_in(value, "priority");
    const auto priority = name ? priority_named(*name) : std::nullopt;
    if (!priority)
        return tl::unexpected(invalid_field("priority", "critical, high, normal or low"));
    return *priority;
}

} // namespace

Read<std::optional<TaskData>> task_data_in(const Fields& fields)
{
    if (!fields.task_data.empty())
        if (auto object = check_object(fields.task_data, "taskData"); !object)
            return tl::unexpected(std::move(object.error()));
    if (fields.task_data.empty() && fields.capabilities.empty() && fields.priority.empty())
        return std::nullopt;

    Steering capabilities("capabilities", fields.capabilities);
    Steering priority("priority", fields.priority);
    TaskData data;
    data.partial = fields.task_data.empty();
    data.payload = Text(payload_of(fields, capabilities, priority));
    if (!capabilities.value.empty()) {
        auto names = strings_in(capabilities.value, capabilities.name);
        if (!names)
            return tl::unexpected(std::move(names.error()));
        data.capabilities = std::move(*names);
    }
    if (!priority.value.empty()) {
        auto level = priority_in(priority.value);
        if (!level)
            return tl::unexpected(std::move(level.error()));
        data.priority = *level;
    }
    return data;
}

Read<Shared<TaskPolicy>> policy_in(const Fields& fields)
{
    if (fields.steering.empty())
        return Shared<TaskPolicy>{};
    std::string members;
    for (const auto member : fields.steering)
        members.append(members.empty() ? "" : ",").append(member);
    return json::policy_in(on_one_line(members));
}

} // namespace coordination::wire
