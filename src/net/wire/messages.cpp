#include "net/wire/messages.hpp"

#include "core/json/slice.hpp"
#include "core/json/write.hpp"

#include <algorithm>
#include <utility>

namespace coordination::wire {
namespace {

constexpr std::uint64_t ttl_ms_max = std::uint64_t{365} * 24 * 3'600'000;
constexpr std::uint64_t retries_max = 1000;

/// The fields that only a publication has, as JSON; empty: absent or null.
struct PublishFields {
    std::string_view id;
    std::string_view topic;
    std::string_view payload;
    std::string_view recipient;
    std::string_view sender;
    std::string_view guarantee;
    std::string_view ttl;
    std::string_view retries;
};

PublishFields publish_fields_in(std::string_view message)
{
    PublishFields found;
    const std::pair<std::string_view, std::string_view*> known[] = {
        {"messageId", &found.id},    {"topic", &found.topic},
        {"payload", &found.payload}, {"recipient", &found.recipient},
        {"sender", &found.sender},   {"guarantee", &found.guarantee},
        {"ttl", &found.ttl},         {"maxRetries", &found.retries},
    };
    json::Members members(message);
    while (const auto member = members.next())
        for (const auto& [name, value] : known)
            if (member->named(name))
                *value =
                    json::kind_of(member->value) == json::Kind::null ? std::string_view{} : member->value;
    return found;
}

/// A text that may be absent or empty, which says the same.
Read<Text> text_in(std::string_view value, std::string_view name, const Bounds& bounds)
{
    if (value.empty())
        return Text{};
    const auto text = string_in(value, name);
    if (!text)
        return tl::unexpected(text.error());
    if (text->size() > bounds.id_bytes_max)
        return tl::unexpected(too_long(name, bounds.id_bytes_max));
    return Text(*text);
}

/// By name or by number: 0, the most urgent, is one.
Read<void> read_priority(std::string_view value, PublishMessage& command)
{
    const auto wrong =
        tl::unexpected(invalid_field("priority", "critical, high, normal or low, or a number from 0 to 3"));
    if (value.empty())
        return {};
    if (json::kind_of(value) == json::Kind::number) {
        const auto number = json::integer_in(value);
        if (!number || *number < 0 || *number >= priority_count)
            return wrong;
        command.priority = static_cast<Priority>(*number);
        command.priority_as_number = true;
        return {};
    }
    const auto name = string_in(value, "priority");
    const auto priority = name ? priority_named(*name) : std::nullopt;
    if (!priority)
        return wrong;
    command.priority = *priority;
    return {};
}

Read<void> read_promises(const PublishFields& fields, PublishMessage& command)
{
    if (!fields.guarantee.empty()) {
        const auto name = string_in(fields.guarantee, "guarantee");
        const auto guarantee = name ? guarantee_named(*name) : std::nullopt;
        if (!guarantee)
            return tl::unexpected(invalid_field("guarantee", "at-most-once, at-least-once or exactly-once"));
        command.guarantee = *guarantee;
    }
    if (!fields.ttl.empty()) {
        const auto ttl = natural_in(fields.ttl, "ttl", 1);
        if (!ttl || *ttl > ttl_ms_max)
            return tl::unexpected(invalid_field("ttl", "milliseconds, from 1 to a year of them"));
        command.ttl = std::chrono::milliseconds(*ttl);
    }
    if (!fields.retries.empty()) {
        const auto retries = natural_in(fields.retries, "maxRetries", 0);
        if (!retries || *retries > retries_max)
            return tl::unexpected(
                invalid_field("maxRetries", "an integer from 0 to " + std::to_string(retries_max)));
        command.max_retries = static_cast<std::uint32_t>(*retries);
    }
    return {};
}

Read<MessageTopics> topics_in(std::string_view value, const Bounds& bounds)
{
    if (value.empty())
        return tl::unexpected(missing_field("topics"));
    auto topics = strings_in(value, "topics");
    if (!topics)
        return topics;
    for (const auto& topic : *topics)
        if (topic.size() > bounds.id_bytes_max)
            return tl::unexpected(too_long("each of the topics", bounds.id_bytes_max));
    std::ranges::sort(*topics);
    const auto twice = std::ranges::unique(*topics);
    topics->erase(twice.begin(), twice.end());
    return topics;
}

/// What was lost, for whom and why.
void append_dead_letter(std::string& out, const BusMessage& letter)
{
    json::ObjectWriter writer(out);
    writer.string("messageId", letter.original.view())
        .string("topic", letter.topic.view())
        .raw("payload", letter.payload.view())
        .string("reason", letter.reason.view());
    if (!letter.sender.empty())
        writer.string("sender", letter.sender.view());
    writer.name("recipients");
    char before = '[';
    for (const auto& receiver : *letter.receivers) {
        out += before;
        json::append_string(out, receiver.view());
        before = ',';
    }
    out += ']';
    writer.close();
}

} // namespace

Read<PublishMessage> publish_message(const Fields& fields, const Bounds& bounds)
{
    const auto own = publish_fields_in(fields.message);
    PublishMessage command;
    const std::pair<std::string_view, std::pair<std::string_view, Text*>> texts[] = {
        {"topic", {own.topic, &command.topic}},
        {"messageId", {own.id, &command.id.text}},
        {"recipient", {own.recipient, &command.recipient.text}},
        {"sender", {own.sender, &command.sender}},
    };
    for (const auto& [name, field] : texts) {
        auto text = text_in(field.first, name, bounds);
        if (!text)
            return tl::unexpected(std::move(text.error()));
        *field.second = std::move(*text);
    }
    if (command.topic.empty() && command.recipient.empty())
        return tl::unexpected(missing_field("topic"));
    command.payload = own.payload.empty() ? Text("null") : text_on_one_line(own.payload);
    auto read = read_priority(fields.priority, command).and_then([&] { return read_promises(own, command); });
    if (!read)
        return tl::unexpected(std::move(read.error()));
    return command;
}

Read<AckMessage> ack_message(const Fields& fields, const Bounds& bounds)
{
    const auto id = id_in(field_in(fields, "messageId"), "messageId", bounds);
    if (!id)
        return tl::unexpected(id.error());
    auto worker = text_in(fields.worker_id, "workerId", bounds);
    if (!worker)
        return tl::unexpected(std::move(worker.error()));
    return AckMessage{MessageId(std::string_view(*id)), WorkerId(std::move(*worker))};
}

Read<SubscribeMessages> subscribe_messages(const Fields& fields, const Bounds& bounds)
{
    return topics_in(fields.topics, bounds).map([](MessageTopics&& topics) {
        return SubscribeMessages{std::move(topics)};
    });
}

Read<UnsubscribeMessages> unsubscribe_messages(const Fields& fields, const Bounds& bounds)
{
    if (fields.topics.empty())
        return UnsubscribeMessages{};
    return topics_in(fields.topics, bounds).map([](MessageTopics&& topics) {
        return UnsubscribeMessages{std::move(topics)};
    });
}

std::string message_frame(const BusMessage& message, std::uint32_t attempt)
{
    const bool dead = message.state == MessageState::dead;
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "message")
        .string("messageId", message.id.view())
        .string("topic", dead ? dead_letter_topic : message.topic.view())
        .name("payload");
    if (dead)
        append_dead_letter(out, message);
    else
        out += message.payload.view();
    if (message.sender.empty())
        writer.raw("sender", "null");
    else
        writer.string("sender", message.sender.view());
    if (message.priority_as_number)
        writer.number("priority", static_cast<int>(message.priority));
    else
        writer.string("priority", name_of(message.priority));
    writer.string("guarantee", name_of(message.guarantee))
        .number("attempt", attempt)
        .number("timestamp", to_millis(message.published_at))
        .close();
    return out;
}

} // namespace coordination::wire
