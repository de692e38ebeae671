#include "cli/ctl/task_details.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 17> daemon_names{
    "id",          "status",  "assignedTo", "assignedAt",     "lastUpdate",  "progress",
    "result",      "error",   "attempt",    "completedAt",    "failedAt",    "fence",
    "cancelledAt", "history", "createdAt",  "reassignedFrom", "reassignedAt"};

void add_time(Details& details, const json::object& task, std::string_view name, std::string label,
              std::int64_t now)
{
    if (const auto time = find_integer(task, name))
        details.add(std::move(label), age_text(*time, now));
}

void add_value(Details& details, const json::object& task, std::string_view name, Colour colour)
{
    if (const auto* value = find_value(task, name))
        details.add(std::string(name), {printable(compact_json(*value)), colour});
}

} // namespace

bool owned_by_daemon(std::string_view name)
{
    return std::ranges::find(daemon_names, name) != daemon_names.end();
}

Details task_details(const json::object& task, std::int64_t now)
{
    Details details;
    const auto status = printable(string_or(task, "status", "-"));
    details.add("id", printable(string_or(task, "id", "-")));
    details.add("status", {status, colour_of_status(status)});
    details.add("worker", printable(string_or(task, "assignedTo", "-")));
    if (const auto progress = find_number(task, "progress"))
        details.add("progress", fmt::format("{:.0f}%", *progress));
    if (const auto attempt = find_integer(task, "attempt"))
        details.add("attempt", fmt::format("{} (fence {})", *attempt, integer_or(task, "fence", 0)));
    add_time(details, task, "createdAt", "created", now);
    add_time(details, task, "assignedAt", "assigned", now);
    add_time(details, task, "lastUpdate", "changed", now);
    add_time(details, task, "completedAt", "completed", now);
    add_time(details, task, "failedAt", "failed", now);
    if (const auto from = find_string(task, "reassignedFrom"))
        details.add("taken from", fmt::format("{} {}", printable(*from),
                                              age_text(integer_or(task, "reassignedAt", 0), now)));
    add_value(details, task, "result", Colour::none);
    add_value(details, task, "error", Colour::red);
    for (const auto& member : task) {
        const std::string_view name(member.key().data(), member.key().size());
        if (owned_by_daemon(name) || member.value().is_null())
            continue;
        const auto* text = member.value().if_string();
        details.add(printable(name),
                    printable(text ? std::string(text->begin(), text->end()) : compact_json(member.value())));
    }
    return details;
}

} // namespace coordination::ctl
