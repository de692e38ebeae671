#include "cli/ctl/message_commands.hpp"

#include <utility>

#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"
#include "net/client/parse_object.hpp"
#include "net/client/ws_client.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::string message_line(const json::object& frame)
{
    const auto found = frame.find("payload");
    const auto priority = frame.find("priority");
    return fmt::format("{}  {}  {}  try {}  {}", printable(string_or(frame, "messageId", "?")),
                       printable(string_or(frame, "topic", "?")),
                       priority == frame.end() ? "?" : printable(compact_json(priority->value())),
                       integer_or(frame, "attempt", 1),
                       found == frame.end() ? "" : printable(compact_json(found->value())));
}

std::string subscription(const MessageListen& request)
{
    json::array topics;
    for (const auto& topic : request.topics)
        topics.emplace_back(topic);
    return compact_json(
        json::object{{"type", "subscribe_messages"}, {"topics", std::move(topics)}, {"requestId", "listen"}});
}

/// What a frame that is no message means: the subscription was refused, or nothing.
Outcome judge(const Context& context, const json::object& frame)
{
    const auto type = string_or(frame, "type", "");
    const auto* success = find_value(frame, "success");
    if (type == "error" || (type == "response" && (!success || *success != json::value(true))))
        return tl::unexpected(refused(frame));
    if (type == "response" && context.err.is_terminal() && !context.settings.json)
        context.err.line("Listening; Ctrl-C ends.");
    return {};
}

} // namespace

asio::awaitable<Outcome> message_publish(ContextPtr context, json::object body)
{
    const auto text = co_await post_text(context, "/api/messages/publish", std::move(body));
    co_return show_answer(*context, text, [&](const json::object& answer) {
        const auto* duplicate = find_value(answer, "duplicate");
        context->out.line(fmt::format("{} {}", printable(string_or(answer, "messageId", "?")),
                                      duplicate ? "was published before" : "published"));
    });
}

asio::awaitable<Outcome> message_listen(ContextPtr context, MessageListen request)
{
    WsClient ws{context->executor, context->ws_options()};
    const auto connected = co_await ws.connect();
    if (!connected)
        co_return tl::unexpected(unreachable(connected.error(), context->settings.ws, "ws"));
    auto sent = ws.send(subscription(request));
    while (sent) {
        const auto text = co_await ws.receive();
        if (!text)
            co_return tl::unexpected(unreachable(text.error(), context->settings.ws, "ws"));
        const auto frame = net_client::parse_object(*text);
        if (!frame)
            continue; // not a frame of this protocol
        if (string_or(*frame, "type", "") != "message") {
            const auto judged = judge(*context, *frame);
            if (!judged)
                co_return judged;
            continue;
        }
        if (context->settings.json)
            context->out.json(*text);
        else
            context->out.line(message_line(*frame));
        if (!request.keep)
            sent = ws.send(compact_json(
                json::object{{"type", "ack"}, {"messageId", string_or(*frame, "messageId", "")}}));
    }
    co_return tl::unexpected(unreachable(sent.error(), context->settings.ws, "ws"));
}

} // namespace coordination::ctl
