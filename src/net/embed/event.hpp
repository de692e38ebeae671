#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace coordination {

struct Change;

enum class EventKind : std::uint8_t {
    worker_registered, ///< for the first time or anew
    worker_unregistered,
    worker_offline, ///< its connection ended, it was silent for too long, or it said goodbye
    task_assigned,
    task_completed,
    task_failed, ///< for good; an attempt after which it is tried again is a state_change
    task_cancelled,
    state_change, ///< any of the above, and everything else that was written
    gap, ///< changes up to `revision` were not told, since the handlers were too slow: read the state
};

/// As the original daemon calls them: "task-completed".
std::string_view name_of(EventKind kind) noexcept;

/// Something that has happened, for the program that the daemon lives in.
struct Event {
    EventKind kind;
    Revision revision = 0; ///< of the change
    Timestamp at{};
    std::string worker_id{};       ///< empty: it is about none
    std::string task_id{};         ///< likewise
    std::uint32_t attempt = 0;     ///< of the task
    std::string_view collection{}; ///< workers, tasks or assignments
    std::string_view operation{};  ///< set, update or delete
    std::shared_ptr<const Change> change{};

    /// The worker, task or assignment as the wire tells it (JSON), as it was at that revision.
    std::string value() const;
};

} // namespace coordination
