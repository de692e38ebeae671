#pragma once

#include "core/shared.hpp"
#include "core/text.hpp"
#include "core/types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coordination {

/// How long a task waits after a reported failure.
struct Backoff {
    bool exponential = false; ///< else fixed
    std::chrono::milliseconds base{0};
    std::chrono::milliseconds most{3'600'000};
    double jitter = 0; ///< the share of the delay, 0 to 1, that varies from attempt to attempt
};

/// How a task wants to be treated, as its caller told it. Fixed once told; most tasks have none and are
/// treated by default, so rows share it by reference.
struct TaskPolicy {
    Text written;       ///< the fields as JSON members, as they were written; all below follows from them
    Timestamp run_at{}; ///< not before; zero: at once
    std::chrono::milliseconds delay{0};   ///< nor before this has passed since it was submitted
    Timestamp expires_at{};               ///< not begun by then, it is failed; zero: never
    std::chrono::milliseconds timeout{0}; ///< for one attempt; zero: none
    std::uint32_t max_failures = 1;       ///< reported failures at which the task fails
    std::uint32_t crash_limit = 0;        ///< lost leases at which it fails; 0: the daemon's default
    Backoff backoff;
    std::vector<std::string> non_retryable; ///< error codes that fail the task at once
    std::vector<TaskId> depends_on;         ///< without repeats
    bool run_despite_failure = false;       ///< of a dependency; else the task is cancelled with it
    Text unique_key;                        ///< one unfinished task at a time has it; empty: none
    Text idempotency_key;                   ///< one task has it; empty: none
};

/// After the `failures`th failure. What varies is drawn from the task's own numbers, so that replaying ends
/// in the same state.
std::chrono::milliseconds delay_of(const Backoff& backoff, std::uint32_t failures, Revision ordinal);

/// How an attempt ended that was not the last word, or that the task was brought back from.
enum class AttemptEnd : std::uint8_t { failed, timed_out, lost, handed_back, cancelled, completed, expired };
inline constexpr int attempt_end_count = 7;
std::string_view name_of(AttemptEnd) noexcept;
std::optional<AttemptEnd> attempt_end_named(std::string_view) noexcept;

/// One attempt that is over.
struct PastAttempt {
    std::uint32_t attempt = 0;
    AttemptEnd how = AttemptEnd::failed;
    WorkerId worker{};
    Revision fence = 0;
    Revision started = 0; ///< the revision of its first sign of progress; 0: there was none
    Revision ended = 0;
    Timestamp assigned_at{};
    Timestamp started_at{};
    Timestamp ended_at{};
    Revision reopened = 0; ///< the task had ended with it, and was brought back then; 0: it had not
    Timestamp reopened_at{};
    Text error{}; ///< JSON; empty: none
};

/// Oldest first. A task that goes on for ever keeps the latest.
using PastAttempts = std::vector<PastAttempt>;
inline constexpr std::size_t past_attempts_max = 64;

} // namespace coordination
