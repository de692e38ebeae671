#pragma once

#include "core/json/write.hpp"
#include "net/coordinator.hpp"

#include <chrono>
#include <string>

/// What came of a call, told to the caller. HTTP and WebSocket tell the same; only what
/// stands around it differs.
namespace coordination::wire {

/// What a successful reply tells beside its success.
enum class Telling {
    done,
    registration,
    heartbeat,
    assignment,
    task_change,
    submission, ///< the task
    batch,      ///< which tasks were submitted together
    selection,  ///< the ids that a filter chose, and where it stopped
    claim,      ///< the tasks themselves
    worker_change,
    publication,
};

/// The members that follow `"success":true`.
void append_outcome(json::ObjectWriter& writer, Telling telling, const Outcome& outcome,
                    const StateStore& state, const ReplyContext& context);

/// How often a worker should give a sign of life, and how long it may not.
struct Rhythm {
    std::chrono::milliseconds heartbeat_interval;
    std::chrono::milliseconds heartbeat_timeout;
};

/// What a worker that registered over a WebSocket is told of itself.
void append_registration(json::ObjectWriter& writer, const Rhythm& rhythm, const WorkerId& worker,
                         const StateStore& state, const ReplyContext& context);

Error task_not_found();
Error worker_not_found();

} // namespace coordination::wire
