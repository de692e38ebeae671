#include "core/bus/post_office.hpp"

#include <algorithm>

/// What a post office draws from the commands that went well.
namespace coordination {
namespace {

bool wants_letters(const Worker* worker)
{
    return worker && worker->message_topics &&
           std::ranges::binary_search(*worker->message_topics, dead_letter_topic);
}

} // namespace

bool PostOffice::learn(const Command& command, const Outcome& outcome, SessionId session,
                       std::span<const Change> changes, const StateStore& state)
{
    const auto of_worker = [&] { return wants_letters(state.workers().find(outcome.worker.view())); };
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
    } else {
        return false;
    }
    return true;
}

void PostOffice::follow_letters(std::span<const Change> changes)
{
    for (const auto& change : changes) {
        const auto* letter = std::get_if<BusMessage>(&change.value);
        if (!letter || letter->state != MessageState::dead)
            continue;
        if (change.operation == Operation::erase)
            remove_letter(letter->id);
        else
            add_letter(*letter);
    }
}

} // namespace coordination
