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

Error queue_full_for(const WorkerId& worker, const MessageIndexes::Backlog& backlog)
{
    return {ErrorCode::queue_full,
            "worker " + std::string(worker.view()) + " has " + std::to_string(backlog.messages) +
                " messages of " + std::to_string(backlog.bytes) +
                " bytes still to get, which is its share of the queue: try again later"};
}

/// Whether a worker holds as much of the queue as one may. A broadcast passes nobody by who has little to get
/// yet, however full the queue is.
bool has_its_share(StateStore& store, const WorkerId& worker, std::size_t bytes, bool broadcast,
                   const Limits& limits)
{
    const auto backlog = store.message_indexes().backlog_of(worker);
    const MessageQuota::Share little{limits.bus.in_flight_max, MessageQuota::least_share.bytes};
    if (broadcast && !little.exceeded_by(backlog.messages + 1, backlog.bytes + bytes))
        return false;
    return store.message_quota()->share(limits.bus).exceeded_by(backlog.messages + 1, backlog.bytes + bytes);
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

/// Of those that are to get a message: the ones that hold their share of the queue already.
std::vector<WorkerId> take_out_full(StateStore& store, std::vector<WorkerId>& receivers, std::size_t bytes,
                                    bool broadcast, const Limits& limits)
{
    std::vector<WorkerId> full;
    const auto& quota = *store.message_quota();
    if (!quota.share(limits.bus).exceeded_by(quota.messages + 1, quota.bytes + bytes))
        return full; // all of them together do not
    const auto has_room = [&](const WorkerId& worker) {
        return !has_its_share(store, worker, bytes, broadcast, limits);
    };
    const auto first = std::ranges::partition(receivers, has_room);
    full.assign(first.begin(), first.end());
    receivers.erase(first.begin(), first.end());
    return full;
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

BusMessage message_for(const PublishMessage& command, const Caller& caller, Timestamp now,
                       const Limits& limits)
{
    return BusMessage{.id = command.id,
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

/// Those of `receivers` that have still to get it need nothing more, and are added to `settled`.
void settle_each(Transaction& tx, const MessageId& id, const std::vector<WorkerId>& receivers,
                 std::vector<WorkerId>& settled)
{
    for (const auto& receiver : receivers) {
        const BusMessage* row = tx.state().messages().find(id.view());
        if (!row || !is_pending(*row, receiver))
            continue;
        settled.push_back(receiver);
        settle_row(tx, *row, receiver);
    }
}

/// A connection that is no worker's has a message that all workers had before: from now on its id is
/// remembered.
void remember_longer(Transaction& tx, const MessageId& id)
{
    const auto& named = tx.store().message_quota()->named;
    if (const auto post = named.find(id.view()); post != named.end())
        end(tx, post->second->message);
}

/// Where there are too many behind one that was written: how many had to go.
std::size_t drop_letters(Transaction& tx, const BusLimits& limits)
{
    std::size_t dropped = 0;
    const auto& indexes = tx.state().message_indexes();
    const BusMessage latest = *tx.state().messages().at_ordinal(*indexes.dead_letters().rbegin());
    while (indexes.dead_letters().size() > limits.dead_letters_max ||
           (indexes.dead_letter_bytes() > limits.queue_bytes_max / 2 && indexes.dead_letters().size() > 1)) {
        const MessageId first = tx.state().messages().at_ordinal(indexes.letter_to_drop(latest))->id;
        tx.erase<BusMessage>(first.view());
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
    if (kept && !command.id.empty() &&
        (store.messages().find(command.id.view()) ||
         store.message_quota()->named.contains(command.id.view())))
        return Outcome{.duplicate = true, .message = command.id};

    auto message = message_for(command, caller, tx.now(), limits);
    auto receivers = receivers_of(store, command);
    std::vector<WorkerId> full;
    if (kept)
        full = take_out_full(store, receivers, bytes_of(message), !message.direct, limits);
    if (receivers.empty() && !full.empty())
        return tl::unexpected(queue_full_for(full[0], store.message_indexes().backlog_of(full[0])));
    bind(message, std::move(receivers));
    if (!store.message_quota()->admits(bytes_of(message) + message.pending * parcel_bytes, limits.bus))
        return tl::unexpected(queue_full(*store.message_quota()));

    const bool row = kept && (message.pending > 0 || message.named);
    if (!message.named)
        message.id = fresh_id(tx, row);
    if (row)
        message.ordinal = tx.next_revision();
    Outcome outcome{.message = message.id,
                    .post = std::make_shared<const Post>(message, store.message_quota())};
    if (row && message.pending > 0)
        tx.put(message, Operation::set);
    else if (row)
        end(tx, message);
    if (!full.empty()) {
        write_letter(tx, message, full, queue_full_reason);
        outcome.lost = drop_letters(tx, limits.bus);
    }
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
    else if (!live && receiver.empty() && caller.session != 0)
        remember_longer(tx, command.id);
    return Outcome{.worker = receiver, .message = command.id};
}

Result apply(Transaction& tx, const SubscribeMessages& command, const Caller& caller, const Limits&)
{
    if (!std::ranges::all_of(command.topics, is_subscribable))
        return tl::unexpected(
            invalid_field("topics", "topics of at most " + std::to_string(topic_parts_max) + " parts"));
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
    } else if (row) {
        settle_each(tx, lost.id, command.receivers, receivers);
    }
    Outcome outcome{.message = lost.id};
    if (receivers.empty())
        return outcome; // an acknowledgement was quicker
    write_letter(tx, lost, std::move(receivers), command.reason);
    outcome.lost = drop_letters(tx, limits.bus);
    return outcome;
}

} // namespace coordination
