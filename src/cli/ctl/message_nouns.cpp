#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/ctl/arguments.hpp"
#include "cli/ctl/message_commands.hpp"

namespace coordination::ctl {

namespace {

namespace json = boost::json;

struct Publication {
    std::string topic;
    std::string payload;
    std::string recipient;
    std::string priority;
    std::string guarantee;
    std::string id;
    std::optional<std::uint64_t> ttl;
};

json::object body_of(const Publication& told)
{
    json::object body{{"topic", told.topic}};
    if (!told.payload.empty()) {
        auto payload = read_json_argument(told.payload);
        if (!payload)
            throw CLI::ValidationError("--payload", payload.error());
        body["payload"] = std::move(*payload);
    }
    for (const auto& [name, text] : {std::pair{"recipient", &told.recipient},
                                     {"priority", &told.priority},
                                     {"guarantee", &told.guarantee},
                                     {"messageId", &told.id}})
        if (!text->empty())
            body[name] = *text;
    if (told.ttl)
        body["ttl"] = *told.ttl;
    return body;
}

void add_publish(CLI::App& message, Command& chosen)
{
    const auto told = std::make_shared<Publication>();
    auto* publish =
        message.add_subcommand("publish", "Send one to all that subscribe to TOPIC, or to a worker");
    publish->add_option("TOPIC", told->topic)->required();
    publish->add_option("--payload", told->payload, "JSON, @FILE, or @- for standard input");
    publish->add_option("--to", told->recipient, "To this worker alone");
    publish->add_option("--priority", told->priority, "critical, high, normal or low");
    publish->add_option("--guarantee", told->guarantee, "at-most-once, at-least-once or exactly-once");
    publish->add_option("--id", told->id, "Published again under this id, it is not delivered again");
    publish->add_option("--ttl", told->ttl, "How long it waits for its receivers, in ms");
    publish->callback([told, &chosen] {
        chosen = [body = body_of(*told)](ContextPtr context) {
            return message_publish(std::move(context), body);
        };
    });
}

void add_listen(CLI::App& message, Command& chosen)
{
    const auto told = std::make_shared<MessageListen>();
    auto* listen = message.add_subcommand("listen", "Print each message as it comes");
    listen
        ->add_option("TOPIC", told->topics,
                     "A topic; * for a part between colons, at the end for all that follow: jobs:*, \"*\"; "
                     "dead-letter for those that could not be delivered")
        ->required();
    listen->add_flag("--keep", told->keep, "Acknowledge nothing: a dead letter stays");
    listen->callback([told, &chosen] {
        chosen = [request = *told](ContextPtr context) {
            return message_listen(std::move(context), request);
        };
    });
}

} // namespace

void add_message(CLI::App& app, Command& chosen)
{
    auto* message = app.add_subcommand("message", "The message bus: send, listen");
    message->require_subcommand(1);
    add_publish(*message, chosen);
    add_listen(*message, chosen);
}

} // namespace coordination::ctl
