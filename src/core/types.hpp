#pragma once

#include "core/text.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace coordination {

using TaskId = Id<struct TaskKind>;
using WorkerId = Id<struct WorkerKind>;
using MessageId = Id<struct BusMessageKind>;

/// Wall-clock time since the Unix epoch. Always told to the core, never asked for by it. Zero: not yet.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

inline std::int64_t to_millis(Timestamp at) noexcept
{
    return at.time_since_epoch().count();
}

/// The ordinal of a state change. Rises by one per change; jumps only at a start. 0: before all changes.
using Revision = std::uint64_t;

/// One connection of a client, as long as it lasts. 0: none (HTTP, embedding code).
using SessionId = std::uint64_t;

enum class TaskStatus : std::uint8_t { pending, assigned, in_progress, completed, failed, cancelled };
inline constexpr int task_status_count = 6;

enum class WorkerStatus : std::uint8_t { idle, busy, offline, draining };

/// Smaller is more urgent; the numbers are those of the wire.
enum class Priority : std::uint8_t { critical = 0, high = 1, normal = 2, low = 3 };
inline constexpr int priority_count = 4;

/// How often a message reaches each of its receivers: once or not at all; until it is acknowledged; the same,
/// and a repeated publication of its id counts as none.
enum class Guarantee : std::uint8_t { at_most_once, at_least_once, exactly_once };

constexpr bool is_terminal(TaskStatus status) noexcept
{
    return status >= TaskStatus::completed;
}
/// A live lease: some worker holds the task.
constexpr bool is_held(TaskStatus status) noexcept
{
    return status == TaskStatus::assigned || status == TaskStatus::in_progress;
}

std::string_view name_of(TaskStatus) noexcept;
std::string_view name_of(WorkerStatus) noexcept;
std::string_view name_of(Priority) noexcept;
std::string_view name_of(Guarantee) noexcept;

/// None where the name is not one of the wire's.
std::optional<TaskStatus> task_status_named(std::string_view) noexcept;
std::optional<WorkerStatus> worker_status_named(std::string_view) noexcept;
/// `medium`, as Cortex writes it, is normal.
std::optional<Priority> priority_named(std::string_view) noexcept;
std::optional<Guarantee> guarantee_named(std::string_view) noexcept;

/// How safe a change is when its reply is sent: in this process only, handed to the operating system
/// (survives kill -9), or synced (survives power loss).
enum class Durability : std::uint8_t { memory, os, disk };
std::string_view name_of(Durability) noexcept;

} // namespace coordination
