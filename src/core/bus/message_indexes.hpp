#pragma once

#include "core/bus/message.hpp"
#include "core/bus/topic_index.hpp"
#include "core/store/records.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace coordination {

/// What is looked for among messages and their subscribers, kept beside the rows.
///
/// Threads  One.
class MessageIndexes {
public:
    // One of the two may be null: a row is new, or gone.
    void message_changed(const BusMessage* before, const BusMessage* after);
    void worker_changed(const Worker* before, const Worker* after);

    /// The ordinals of the workers that get what is published to a topic.
    std::vector<Revision> subscribers_of(std::string_view topic) const;
    std::size_t subscribers() const noexcept { return subscribers_; }
    std::size_t topics() const noexcept { return topics_.topics(); }

    /// Dead letters, by ordinal.
    const std::set<Revision>& dead_letters() const noexcept { return dead_letters_; }
    std::size_t dead_letter_bytes() const noexcept { return dead_letter_bytes_; }
    /// The one to go where there are too many: the oldest; of the same origin as `latest` where more than a
    /// tenth of all are. So a message that nobody took, or a worker that takes none, pushes out its own.
    Revision letter_to_drop(const BusMessage& latest) const;

    /// What a worker has still to get of what is kept until it has it.
    struct Backlog {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };
    Backlog backlog_of(const WorkerId& worker) const;

    /// Messages that are only remembered for their ids.
    std::size_t done() const noexcept { return done_.size(); }
    using Done = std::pair<Timestamp, Revision>; ///< since when, and the ordinal
    std::optional<Done> oldest_done() const noexcept
    {
        return done_.empty() ? std::nullopt : std::optional(*done_.begin());
    }

private:
    struct Receiver {
        WorkerId id;
        Backlog backlog{};
    };

    void count_backlog(const BusMessage* before, const BusMessage* after);
    void enter(const BusMessage& message, const WorkerId& receiver);
    void leave(const BusMessage& message, const WorkerId& receiver);

    TopicIndex<Revision> topics_;
    std::size_t subscribers_ = 0;
    std::set<Revision> dead_letters_;
    std::size_t dead_letter_bytes_ = 0;
    std::map<Text, std::set<Revision>> letters_by_origin_;
    std::unordered_map<std::string_view, Receiver> receivers_; ///< with a backlog; keys are the ids in it
    std::set<Done> done_;
};

} // namespace coordination
