#include "core/bus/message_indexes.hpp"

namespace coordination {

void MessageIndexes::message_changed(const BusMessage* before, const BusMessage* after)
{
    if (before && before->state == MessageState::dead) {
        dead_letters_.erase(before->ordinal);
        dead_letter_bytes_ -= bytes_of(*before);
    } else if (before && before->state == MessageState::done) {
        done_.erase({before->done_at, before->ordinal});
    }
    if (after && after->state == MessageState::dead) {
        dead_letters_.insert(after->ordinal);
        dead_letter_bytes_ += bytes_of(*after);
    } else if (after && after->state == MessageState::done) {
        done_.emplace(after->done_at, after->ordinal);
    }
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
