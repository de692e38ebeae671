#include "core/random_calls.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <set>

namespace coordination::testing {

void dump_message(std::ostream& out, const BusMessage& message)
{
    out << message.id.view() << ' ' << name_of(message.state) << ' ' << message.topic.view() << ' '
        << message.payload.view() << ' ' << message.sender.view() << ' ' << name_of(message.priority)
        << message.priority_as_number << ' ' << name_of(message.guarantee) << ' ' << message.named << ' '
        << message.max_retries << ' ' << message.ordinal << ' ' << to_millis(message.published_at) << ' '
        << to_millis(message.expires_at) << ' ' << to_millis(message.done_at) << ' ' << message.reason.view()
        << ' ' << message.original.view() << " for";
    for (const auto& receiver : pending_receivers(message))
        out << ' ' << receiver.view().size() << ':' << receiver.view();
    out << '\n';
}

std::string recount_messages(const StateStore& store)
{
    std::size_t dead = 0;
    std::size_t dead_bytes = 0;
    std::size_t done = 0;
    for (const auto& [ordinal, message] : store.messages().rows()) {
        dead += message.state == MessageState::dead ? 1 : 0;
        dead_bytes += message.state == MessageState::dead ? bytes_of(message) : 0;
        done += message.state == MessageState::done ? 1 : 0;
        if (message.state == MessageState::live &&
            (message.pending == 0 || message.pending != pending_receivers(message).size()))
            return "a live message miscounts who has still to get it";
    }
    std::set<std::string> topics;
    std::size_t subscribers = 0;
    for (const auto& [ordinal, worker] : store.workers().rows())
        if (worker.message_topics) {
            ++subscribers;
            topics.insert(worker.message_topics->begin(), worker.message_topics->end());
            for (const auto& topic : *worker.message_topics)
                if (is_publishable(topic) &&
                    std::ranges::count(store.message_indexes().subscribers_of(topic), worker.ordinal) == 0)
                    return "a subscriber is not found by its topic";
        }
    const auto& indexes = store.message_indexes();
    if (indexes.dead_letters().size() != dead || indexes.dead_letter_bytes() != dead_bytes ||
        indexes.done() != done || indexes.subscribers() != subscribers || indexes.topics() != topics.size())
        return "an index of messages differs from a recount";
    return {};
}

void RandomCalls::subscribe_messages()
{
    constexpr std::array<const char*, 6> topics{"*", "a:*", "a:b", "*:b", "dead-letter", "o\"dd\"\n"};
    MessageTopics chosen;
    for (const auto* topic : topics)
        if (below(3) == 0)
            chosen.emplace_back(topic);
    std::ranges::sort(chosen);
    const Worker* worker = store().workers().find(some_worker());
    if (!worker)
        return;
    const Caller caller{worker->session, worker->id};
    if (below(3) != 0)
        static_cast<void>(fleet.call(SubscribeMessages{chosen}, caller));
    else
        static_cast<void>(fleet.call(UnsubscribeMessages{chosen}, caller));
}

void RandomCalls::publish()
{
    constexpr std::array<const char*, 4> topics{"a:b", "a:c", "x", "o\"dd\"\n"};
    constexpr std::array<const char*, 4> payloads{"null", R"({"n":[1, {"x":"\n"}]})", R"("text \"}")", "0"};
    PublishMessage command{.topic = text(topics[below(topics.size())]),
                           .payload = text(payloads[below(payloads.size())]),
                           .priority = static_cast<Priority>(below(4)),
                           .priority_as_number = below(2) == 0,
                           .guarantee = static_cast<Guarantee>(below(3)),
                           .max_retries = static_cast<std::uint32_t>(below(5))};
    if (below(2) == 0)
        command.id = MessageId(std::string_view("id \"" + std::to_string(below(40)) + "\""));
    if (below(4) == 0)
        command.recipient = WorkerId(std::string_view(some_worker()));
    static_cast<void>(fleet.call(command, some_caller(nullptr)));
}

/// Acknowledged, or given up.
void RandomCalls::settle_message()
{
    const auto& rows = store().messages().rows();
    if (rows.empty())
        return;
    auto row = rows.begin();
    std::advance(row, static_cast<std::ptrdiff_t>(below(rows.size())));
    const BusMessage message = row->second;
    const auto receivers = pending_receivers(message);
    const auto receiver = receivers.empty() || below(4) == 0 ? WorkerId(std::string_view(some_worker()))
                                                             : receivers[below(receivers.size())];
    if (below(4) != 0) {
        static_cast<void>(fleet.call(AckMessage{message.id, receiver}));
        return;
    }
    BuryMessage command{.post = std::make_shared<const Post>(message, store().message_quota()),
                        .everyone = below(3) == 0,
                        .reason = "MAX_RETRIES"};
    if (!command.everyone)
        command.receivers.push_back(receiver);
    static_cast<void>(fleet.call(command));
}

} // namespace coordination::testing
