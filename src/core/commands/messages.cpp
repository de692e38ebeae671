#include "core/commands/commands.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace coordination {
namespace {

Error queue_full(const MessageQuota& quota)
{
    return {ErrorCode::queue_full, "the message queue is full: " + std::to_string(quota.messages) +
                                       " messages of " + std::to_string(quota.bytes) +
                                       " bytes are to be delivered: try again later"};
}

std::vector<WorkerId> receivers_of(const StateStore& state, const PublishMessage& command)
{
    std::vector<WorkerId> receivers;
    if (!command.recipient.empty()) {
        receivers.push_back(state.workers().find(command.recipient.view())->id);
        return receivers;
    }
    for (const auto ordinal : state.message_indexes().subscribers_of(command.topic.view()))
        receivers.push_back(state.workers().at_ordinal(ordinal)->id);
    return receivers;
}

/// What the ids that the bus makes begin with, and no others.
constexpr std::string_view own_ids = "bus:";

/// From the revision it is written at, so that a replay makes the same; else from the time.
MessageId fresh_id(Transaction& tx, bool row)
{
    std::string name(own_ids);
    if (row)
        name += std::to_string(tx.next_revision());
    else
        name += "t" + std::to_string(to_millis(tx.now())) + "-" + std::to_string(tx.store().next_serial());
    return MessageId(std::string_view(name));
}

BusMessage message_for(const StateStore& state, const PublishMessage& command, const Caller& caller,
                       Timestamp now, const Limits& limits)
{
    BusMessage message{.id = command.id,
                       .topic = command.topic,
                       .payload = command.payload,
                       .sender = caller.worker.empty() ? command.sender : caller.worker.text,
                       .priority = command.priority,
                       .guarantee = command.guarantee,
                       .priority_as_number = command.priority_as_number,
                       .direct = !command.recipient.empty(),
                       .named = !command.id.empty(),
                       .max_retries = command.max_retries,
                       .published_at = now,
                       .expires_at = now + command.ttl.value_or(limits.bus.message_ttl)};
    bind(message, receivers_of(state, command));
    return message;
}

/// Everyone who had to get it has, or never will. Its id is remembered where it can be repeated.
void end(Transaction& tx, const BusMessage& live)
{
    if (!live.named) {
        tx.erase<BusMessage>(live.id.view());
        return;
    }
    tx.put(BusMessage{.id = live.id,
                      .guarantee = live.guarantee,
                      .state = MessageState::done,
                      .named = true,
                      .done_at = tx.now()},
           tx.state().messages().find(live.id.view()) ? Operation::update : Operation::set);
}

void settle_row(Transaction& tx, BusMessage live, const WorkerId& receiver)
{
    settle(live, receiver);
    if (live.pending == 0)
        end(tx, live);
    else
        tx.put(std::move(live), Operation::update);
}

/// How many had to go.
std::size_t drop_oldest_letters(Transaction& tx, const BusLimits& limits)
{
    std::size_t dropped = 0;
    const auto& indexes = tx.state().message_indexes();
    while (indexes.dead_letters().size() > limits.dead_letters_max ||
           (indexes.dead_letter_bytes() > limits.queue_bytes_max / 2 && indexes.dead_letters().size() > 1)) {
        const MessageId oldest = tx.state().messages().at_ordinal(*indexes.dead_letters().begin())->id;
        tx.erase<BusMessage>(oldest.view());
        ++dropped;
    }
    return dropped;
}

void write_letter(Transaction& tx, const BusMessage& lost, std::vector<WorkerId> receivers,
                  std::string_view reason)
{
    const auto id = std::string(own_ids) + "dead-" + std::to_string(tx.next_revision());
    BusMessage letter = lost;
    letter.id = MessageId(std::string_view(id));
    letter.original = lost.id;
    letter.guarantee = Guarantee::at_least_once;
    letter.state = MessageState::dead;
    letter.named = false;
    letter.ordinal = 0;
    letter.published_at = tx.now();
    letter.expires_at = Timestamp{};
    letter.reason = Text(reason);
    bind(letter, std::move(receivers));
    tx.put(std::move(letter), Operation::set);
}

/// The worker that the caller speaks for; an error where it has another connection, or none is left of it.
tl::expected<const Worker*, Error> subscriber(const StateStore& state, const Caller& caller)
{
    const Worker* worker = state.workers().find(caller.worker.view());
    if (!worker)
        return tl::unexpected(worker_not_found());
    if (worker->session != caller.session)
        return tl::unexpected(
            Error{ErrorCode::stale_attempt, "another connection speaks for this worker: register again"});
    return worker;
}

Result set_topics(Transaction& tx, const Worker& known, const MessageTopics& before, MessageTopics topics)
{
    if (topics != before) {
        Worker worker = known;
        worker.message_topics =
            topics.empty() ? nullptr : std::make_shared<const MessageTopics>(std::move(topics));
        tx.put(std::move(worker), Operation::update);
    }
    return Outcome{.worker = known.id};
}

} // namespace

Error too_many_topics()
{
    return {ErrorCode::too_many_topics,
            "topics must be at most " + std::to_string(message_topics_max) + " for one subscriber"};
}

Result apply(Transaction& tx, const PublishMessage& command, const Caller& caller, const Limits& limits)
{
    auto& store = tx.store();
    if (!is_publishable(command.topic.view()))
        return tl::unexpected(invalid_field("topic", "one topic, without * as a part, and not " +
                                                         std::string(dead_letter_topic)));
    if (command.id.view().starts_with(own_ids))
        return tl::unexpected(invalid_field("messageId", "one that does not begin as those of the bus do: " +
                                                             std::string(own_ids)));
    if (!command.recipient.empty() && !store.workers().find(command.recipient.view()))
        return tl::unexpected(worker_not_found());
    const bool kept = command.guarantee != Guarantee::at_most_once;
    if (kept && !command.id.empty() && store.messages().find(command.id.view()))
        return Outcome{.duplicate = true, .message = command.id};

    auto message = message_for(store, command, caller, tx.now(), limits);
    if (!store.message_quota()->admits(bytes_of(message), limits.bus))
        return tl::unexpected(queue_full(*store.message_quota()));

    const bool row = kept && (message.pending > 0 || message.named);
    if (!message.named)
        message.id = fresh_id(tx, row);
    if (row)
        message.ordinal = tx.next_revision();
    Outcome outcome{.message = message.id,
                    .post = std::make_shared<const Post>(message, store.message_quota())};
    if (row && message.pending > 0)
        tx.put(std::move(message), Operation::set);
    else if (row)
        end(tx, message);
    return outcome;
}

Result apply(Transaction& tx, const AckMessage& command, const Caller& caller, const Limits&)
{
    const bool speaks_for_itself = !caller.worker.empty();
    if (speaks_for_itself && !command.worker.empty() && command.worker != caller.worker)
        return tl::unexpected(invalid_field("workerId", "the worker of this connection"));
    const auto& receiver = speaks_for_itself ? caller.worker : command.worker;
    const BusMessage* message = tx.state().messages().find(command.id.view());
    const bool live = message && message->state == MessageState::live;
    if (live && receiver.empty() && caller.session == 0)
        return tl::unexpected(missing_field("workerId"));

    if (message && message->state == MessageState::dead)
        tx.erase<BusMessage>(command.id.view()); // whoever it was
    else if (live && is_pending(*message, receiver))
        settle_row(tx, *message, receiver);
    return Outcome{.worker = receiver, .message = command.id};
}

Result apply(Transaction& tx, const SubscribeMessages& command, const Caller& caller, const Limits&)
{
    if (caller.worker.empty())
        return Outcome{};
    const auto worker = subscriber(tx.state(), caller);
    if (!worker)
        return tl::unexpected(worker.error());
    const auto& known = **worker;
    const MessageTopics before = known.message_topics ? *known.message_topics : MessageTopics{};
    MessageTopics topics;
    std::ranges::set_union(before, command.topics, std::back_inserter(topics));
    if (topics.size() > message_topics_max)
        return tl::unexpected(too_many_topics());
    return set_topics(tx, known, before, std::move(topics));
}

Result apply(Transaction& tx, const UnsubscribeMessages& command, const Caller& caller, const Limits&)
{
    if (caller.worker.empty())
        return Outcome{};
    const auto worker = subscriber(tx.state(), caller);
    if (!worker)
        return tl::unexpected(worker.error());
    const auto& known = **worker;
    const MessageTopics before = known.message_topics ? *known.message_topics : MessageTopics{};
    MessageTopics topics;
    if (command.topics)
        std::ranges::set_difference(before, *command.topics, std::back_inserter(topics));
    return set_topics(tx, known, before, std::move(topics));
}

Result apply(Transaction& tx, const BuryMessage& command, const Caller&, const Limits& limits)
{
    const auto& lost = command.post->message;
    const BusMessage* row = tx.state().messages().find(lost.id.view());
    if (row && (row->ordinal != lost.ordinal || row->state != MessageState::live))
        row = nullptr; // all had it meanwhile
    std::vector<WorkerId> receivers;
    for (const auto session : command.sockets)
        receivers.emplace_back(std::string_view("socket-" + std::to_string(session)));
    if (row && command.everyone) {
        std::ranges::copy(pending_receivers(*row), std::back_inserter(receivers));
        end(tx, BusMessage(*row));
    } else if (row && is_pending(*row, command.receiver)) {
        receivers.push_back(command.receiver);
        settle_row(tx, *row, command.receiver);
    }
    Outcome outcome{.worker = command.receiver, .message = lost.id};
    if (receivers.empty())
        return outcome; // an acknowledgement was quicker
    write_letter(tx, lost, std::move(receivers), command.reason);
    outcome.lost = drop_oldest_letters(tx, limits.bus);
    return outcome;
}

} // namespace coordination
