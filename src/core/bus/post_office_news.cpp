#include "core/bus/post_office.hpp"

#include <algorithm>
#include <ranges>

/// What a post office draws from the commands that went well.
namespace coordination {
namespace {

/// Whether a worker wants dead letters from these changes on; none: they leave that as it is. The state itself
/// may be further already, and may have to go back.
std::optional<bool> wants_letters(std::span<const Change> changes, const WorkerId& id)
{
    for (const auto& change : changes | std::views::reverse) {
        const auto* worker = std::get_if<Worker>(&change.value);
        if (worker && worker->id == id && change.operation != Operation::erase)
            return worker->message_topics &&
                   std::ranges::binary_search(*worker->message_topics, dead_letter_topic);
    }
    return std::nullopt;
}

} // namespace

bool PostOffice::learn(const Command& command, const Outcome& outcome, SessionId session,
                       std::span<const Change> changes)
{
    const auto of_worker = [&] { return wants_letters(changes, outcome.worker); };
    if (const auto* ack = std::get_if<AckMessage>(&command)) {
        acknowledge(session, outcome.worker, ack->id);
        follow_letters(changes);
    } else if (const auto* subscribed = std::get_if<SubscribeMessages>(&command)) {
        if (outcome.worker.empty())
            subscribe(session, subscribed->topics);
        else
            want_letters(outcome.worker, of_worker());
    } else if (const auto* unsubscribed = std::get_if<UnsubscribeMessages>(&command)) {
        if (outcome.worker.empty())
            unsubscribe(session, unsubscribed->topics);
        else
            want_letters(outcome.worker, of_worker());
    } else if (std::holds_alternative<RegisterWorker>(command)) {
        connect(session, outcome.worker, of_worker());
    } else if (const auto* left = std::get_if<UnregisterWorker>(&command)) {
        forget(left->id);
    } else if (const auto* burial = std::get_if<BuryMessage>(&command)) {
        buried(*burial, outcome.lost);
        follow_letters(changes);
    } else if (std::holds_alternative<PublishMessage>(command)) {
        counters_.dropped += outcome.lost;
        return follow_letters(changes);
    } else {
        return false;
    }
    return true;
}

bool PostOffice::follow_letters(std::span<const Change> changes)
{
    bool any = false;
    for (const auto& change : changes) {
        const auto* letter = std::get_if<BusMessage>(&change.value);
        if (!letter || letter->state != MessageState::dead)
            continue;
        any = true;
        if (change.operation == Operation::erase)
            remove_letter(letter->id);
        else
            add_letter(*letter);
    }
    return any;
}

} // namespace coordination
