#include "cli/ctl/watch.hpp"

#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"
#include "net/client/parse_object.hpp"
#include "net/client/ws_client.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::string clock_text(std::int64_t time_ms)
{
    const std::time_t seconds = time_ms / 1000;
    return fmt::format("{:%H:%M:%S}.{:03d}", fmt::localtime(seconds), time_ms % 1000);
}

std::string value_summary(const json::object& value)
{
    std::string summary;
    const auto add = [&](std::string_view text) {
        summary += summary.empty() ? "" : " ";
        summary += text;
    };
    if (const auto status = find_string(value, "status"))
        add(printable(*status));
    if (const auto holder = find_string(value, "assignedTo"))
        add("at " + printable(*holder));
    if (const auto progress = find_number(value, "progress"))
        add(fmt::format("{:.0f}%", *progress));
    if (const auto active = find_integer(value, "activeTasks"))
        add(fmt::format("{} running", *active));
    return summary.empty() ? printable(compact_json(value)) : summary;
}

Colour colour_of_operation(std::string_view operation)
{
    if (operation == "set")
        return Colour::green;
    return operation == "delete" ? Colour::red : Colour::blue;
}

json::object subscription(const Watch& request)
{
    json::array topics;
    for (const auto& topic : request.topics)
        topics.emplace_back(topic);
    json::object frame{{"type", "subscribe"}, {"topics", std::move(topics)}, {"requestId", "watch"}};
    if (request.since)
        frame["since"] = *request.since;
    if (request.values)
        frame["values"] = true;
    return frame;
}

Failure refused_subscription(const json::object& answer)
{
    auto failure = refused(answer);
    if (failure.code == "REVISION_COMPACTED")
        failure.message +=
            fmt::format("; the oldest that is left is --since {}", integer_or(answer, "oldest", 0));
    return failure;
}

Failure lost(const ClientError& error, const Context& context, std::int64_t last_revision)
{
    auto failure = unreachable(error, context.settings.ws, "ws");
    if (last_revision > 0)
        failure.message +=
            fmt::format("; go on from here with --since {} (after a restart these changes may be "
                        "REVISION_COMPACTED: then watch anew)",
                        last_revision);
    return failure;
}

} // namespace

std::string change_line(const json::object& frame, const Style& style)
{
    const json::object nothing;
    const auto* change = find_object(frame, "change");
    const auto& facts = change ? *change : nothing;
    const auto operation = printable(string_or(facts, "operation", "?"));
    auto line = fmt::format("{}  {:>8}  {:<11}  {}  {}", clock_text(integer_or(frame, "timestamp", now_ms())),
                            integer_or(facts, "revision", 0), printable(string_or(facts, "collection", "?")),
                            style.paint(colour_of_operation(operation), fmt::format("{:<6}", operation)),
                            printable(string_or(facts, "key", "?")));
    if (const auto* value = find_value(facts, "value")) {
        const auto* object = value->if_object();
        line += "  " + (object ? value_summary(*object) : printable(compact_json(*value)));
    }
    return line;
}

asio::awaitable<Outcome> watch(ContextPtr context, Watch request)
{
    WsClient ws{context->executor, context->ws_options()};
    const auto connected = co_await ws.connect();
    if (!connected)
        co_return tl::unexpected(unreachable(connected.error(), context->settings.ws, "ws"));
    if (const auto sent = ws.send(compact_json(subscription(request))); !sent)
        co_return tl::unexpected(unreachable(sent.error(), context->settings.ws, "ws"));

    std::int64_t last_revision = 0;
    for (;;) {
        const auto text = co_await ws.receive();
        if (!text)
            co_return tl::unexpected(lost(text.error(), *context, last_revision));
        const auto frame = net_client::parse_object(*text);
        if (!frame)
            continue; // not a frame of this protocol, so not a change
        const auto type = string_or(*frame, "type", "");
        if (type == "response" || type == "error") {
            const auto* success = find_value(*frame, "success");
            if (type == "error" || !success || *success != json::value(true))
                co_return tl::unexpected(refused_subscription(*frame));
            if (context->err.is_terminal() && !context->settings.json)
                context->err.line("Watching; Ctrl-C ends.");
        } else if (type == "state_change") {
            if (const auto* change = find_object(*frame, "change"))
                last_revision = integer_or(*change, "revision", last_revision);
            if (context->settings.json)
                context->out.json(*text);
            else
                context->out.line(change_line(*frame, context->out.style()));
        }
    }
}

} // namespace coordination::ctl
