#include "cli/ctl/state_commands.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::string value_text(std::string_view name, const json::value& value)
{
    if (name == "uptime")
        return duration_text(std::chrono::milliseconds{value.is_int64() ? value.get_int64() : 0});
    if (name == "startTime" && value.is_int64())
        return age_text(value.get_int64(), now_ms());
    if (name == "revision" && value.is_int64())
        return std::to_string(value.get_int64()); // to be copied
    if (value.is_int64())
        return grouped(value.get_int64());
    if (value.is_double())
        return fmt::format("{:.2f}", value.get_double());
    if (const auto* text = value.if_string())
        return printable(std::string_view(text->data(), text->size()));
    return value.is_null() ? "-" : printable(compact_json(value));
}

void add_section(Details& details, const std::string& prefix, const json::object& section)
{
    for (const auto& member : section) {
        const std::string name(member.key().data(), member.key().size());
        const auto label = prefix.empty() ? name : prefix + " " + name;
        if (const auto* nested = member.value().if_object())
            add_section(details, label, *nested);
        else
            details.add(printable(label), value_text(name, member.value()));
    }
}

} // namespace

std::string counted_by_status(const json::array* things)
{
    std::map<std::string, std::int64_t> by_status;
    std::int64_t total = 0;
    if (things) {
        for (const auto& thing : *things) {
            if (const auto* object = thing.if_object()) {
                ++by_status[printable(string_or(*object, "status", "?"))];
                ++total;
            }
        }
    }
    std::vector<std::pair<std::string, std::int64_t>> sorted(by_status.begin(), by_status.end());
    std::ranges::sort(sorted, {}, [](const auto& entry) { return std::pair(-entry.second, entry.first); });
    std::string parts;
    for (const auto& [status, count] : sorted)
        parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", grouped(count), status);
    return parts.empty() ? grouped(total) : fmt::format("{} ({})", grouped(total), parts);
}

Details metrics_section(const json::object& section)
{
    Details details;
    add_section(details, "", section);
    return details;
}

asio::awaitable<Outcome> state(ContextPtr context)
{
    const auto text = co_await get_text(context, "/api/state");
    co_return show_answer(*context, text, [&](const json::object& answer) {
        Details details;
        details.add("workers", counted_by_status(find_array(answer, "workers")));
        details.add("tasks", counted_by_status(find_array(answer, "tasks")));
        if (const auto* metadata = find_object(answer, "metadata")) {
            details.add("assignments", grouped(integer_or(*metadata, "activeAssignments", 0)));
            details.add("revision", std::to_string(integer_or(*metadata, "revision", 0))); // to be copied
        }
        context->out.write(details.render(context->out.style()));
    });
}

asio::awaitable<Outcome> metrics(ContextPtr context)
{
    const auto text = co_await get_text(context, "/api/metrics");
    co_return show_answer(*context, text, [&](const json::object& answer) {
        const auto& style = context->out.style();
        const char* separator = "";
        for (const auto& member : answer) {
            const auto* section = member.value().if_object();
            if (!section)
                continue;
            context->out.write(separator);
            context->out.write(style.paint(Colour::bold, printable(std::string(member.key()))) + "\n");
            context->out.write(metrics_section(*section).render(style));
            separator = "\n";
        }
    });
}

asio::awaitable<Outcome> snapshot(ContextPtr context)
{
    const auto text = co_await post_text(context, "/api/snapshot", {});
    co_return show_answer(*context, text, [&](const json::object& answer) {
        context->out.line(printable(string_or(answer, "message", "Snapshot created")));
    });
}

} // namespace coordination::ctl
