#include "core/bus/message_indexes.hpp"

#include <utility>

namespace coordination {
namespace {

bool is_live(const BusMessage* message) noexcept
{
    return message && message->state == MessageState::live;
}

/// What dead letters have in common where one cause made many of them: the message that they were, or that
/// some receiver lets its queue be full.
const Text& origin_of(const BusMessage& letter) noexcept
{
    return letter.reason.view() == queue_full_reason ? letter.reason : letter.original.text;
}

} // namespace

void MessageIndexes::message_changed(const BusMessage* before, const BusMessage* after)
{
    if (before && before->state == MessageState::dead) {
        dead_letters_.erase(before->ordinal);
        dead_letter_bytes_ -= bytes_of(*before);
        const auto origin = letters_by_origin_.find(origin_of(*before));
        origin->second.erase(before->ordinal);
        if (origin->second.empty())
            letters_by_origin_.erase(origin);
    } else if (before && before->state == MessageState::done) {
        done_.erase({before->done_at, before->ordinal});
    }
    if (after && after->state == MessageState::dead) {
        dead_letters_.insert(after->ordinal);
        dead_letter_bytes_ += bytes_of(*after);
        letters_by_origin_[origin_of(*after)].insert(after->ordinal);
    } else if (after && after->state == MessageState::done) {
        done_.emplace(after->done_at, after->ordinal);
    }
    count_backlog(before, after);
}

/// A change of a message that stays live is about one receiver.
void MessageIndexes::count_backlog(const BusMessage* before, const BusMessage* after)
{
    if (is_live(before) && is_live(after)) {
        if (after->pending < before->pending)
            leave(*after, after->last_settled);
        else if (after->pending > before->pending) // it is undone
            enter(*before, before->last_settled);
    } else if (is_live(before)) {
        for (const auto& receiver : pending_receivers(*before))
            leave(*before, receiver);
    } else if (is_live(after)) {
        for (const auto& receiver : pending_receivers(*after))
            enter(*after, receiver);
    }
}

void MessageIndexes::enter(const BusMessage& message, const WorkerId& receiver)
{
    auto entry = receivers_.find(receiver.view());
    if (entry == receivers_.end())
        entry = receivers_.emplace(receiver.view(), Receiver{receiver}).first;
    ++entry->second.backlog.messages;
    entry->second.backlog.bytes += bytes_of(message);
}

void MessageIndexes::leave(const BusMessage& message, const WorkerId& receiver)
{
    const auto entry = receivers_.find(receiver.view());
    entry->second.backlog.bytes -= bytes_of(message);
    if (--entry->second.backlog.messages == 0)
        receivers_.erase(entry);
}

MessageIndexes::Backlog MessageIndexes::backlog_of(const WorkerId& worker) const
{
    const auto entry = receivers_.find(worker.view());
    return entry == receivers_.end() ? Backlog{} : entry->second.backlog;
}

Revision MessageIndexes::letter_to_drop(const BusMessage& latest) const
{
    constexpr std::size_t share = 10;
    const auto origin = letters_by_origin_.find(origin_of(latest));
    if (origin != letters_by_origin_.end() && origin->second.size() > 1 &&
        origin->second.size() * share > dead_letters_.size())
        return *origin->second.begin();
    return *dead_letters_.begin();
}

void MessageIndexes::worker_changed(const Worker* before, const Worker* after)
{
    const auto* left = before ? before->message_topics.get() : nullptr;
    const auto* entered = after ? after->message_topics.get() : nullptr;
    if (left == entered)
        return;
    if (left) {
        --subscribers_;
        for (const auto& topic : *left)
            topics_.remove(topic, before->ordinal);
    }
    if (entered) {
        ++subscribers_;
        for (const auto& topic : *entered)
            topics_.add(topic, after->ordinal);
    }
}

std::vector<Revision> MessageIndexes::subscribers_of(std::string_view topic) const
{
    std::vector<Revision> workers;
    topics_.match(topic, workers);
    return workers;
}

} // namespace coordination
