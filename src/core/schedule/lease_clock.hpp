#pragma once

#include "core/types.hpp"

#include <chrono>
#include <optional>
#include <queue>
#include <unordered_set>
#include <utility>
#include <vector>

namespace coordination {

/// When which worker will have been silent for too long. A heartbeat costs it nothing: an entry is only
/// looked at when the time it was made for has come, and made anew if the worker was heard since. So each
/// worker is looked at about once a timeout, however often it speaks.
///
/// Threads  One.
class LeaseClock {
public:
    explicit LeaseClock(std::chrono::milliseconds timeout) noexcept : timeout_(timeout) {}

    /// Watches a worker that was last seen at `seen`; does nothing if it is watched already.
    void watch(Revision worker_ordinal, Timestamp seen)
    {
        if (watched_.insert(worker_ordinal).second)
            due_.emplace(seen + timeout_, worker_ordinal);
    }

    std::optional<Timestamp> next() const noexcept
    {
        if (due_.empty())
            return std::nullopt;
        return due_.top().first;
    }

    /// The next worker whose time has come, no longer watched; none when there is none left.
    std::optional<Revision> pop_due(Timestamp now)
    {
        if (due_.empty() || due_.top().first > now)
            return std::nullopt;
        const auto worker = due_.top().second;
        due_.pop();
        watched_.erase(worker);
        return worker;
    }

private:
    using Due = std::pair<Timestamp, Revision>;

    std::chrono::milliseconds timeout_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::unordered_set<Revision> watched_;
};

} // namespace coordination
