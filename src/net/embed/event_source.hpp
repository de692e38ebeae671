#pragma once

#include "core/store/state_store.hpp"
#include "net/embed/event_hub.hpp"

#include <memory>
#include <span>
#include <string>
#include <unordered_set>

namespace coordination {

/// Tells changes as the events that they are. Costs nothing while nobody listens.
///
/// Threads  The store's strand.
class EventSource {
public:
    explicit EventSource(std::shared_ptr<EventHub> hub) noexcept : hub_(std::move(hub)) {}

    /// Somebody listens now: events come from the next changes on.
    void begin(const StateStore& state);
    /// Changes that may be told, oldest first.
    void take(std::span<const Change> changes);

private:
    void take(const Change& change);
    void take(const std::shared_ptr<const Change>& change, const Worker& worker);
    void take(const std::shared_ptr<const Change>& change, const Task& task);
    void push(EventKind kind, const std::shared_ptr<const Change>& change);

    std::shared_ptr<EventHub> hub_;
    bool begun_ = false;
    std::unordered_set<std::string>
        online_; ///< by what was told: a change alone does not say what was before
};

} // namespace coordination
