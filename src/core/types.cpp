#include "core/types.hpp"

#include <array>

namespace coordination {
namespace {

constexpr std::array<std::string_view, task_status_count> task_statuses{
    "pending", "assigned", "in_progress", "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, 4> worker_statuses{"idle", "busy", "offline", "draining"};
constexpr std::array<std::string_view, priority_count> priorities{"critical", "high", "normal", "low"};
constexpr std::array<std::string_view, 3> guarantees{"at-most-once", "at-least-once", "exactly-once"};
constexpr std::array<std::string_view, 3> durabilities{"memory", "os", "disk"};

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) noexcept
{
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == name)
            return static_cast<Enum>(i);
    return std::nullopt;
}

} // namespace

std::string_view name_of(TaskStatus status) noexcept
{
    return task_statuses[static_cast<std::size_t>(status)];
}
std::string_view name_of(WorkerStatus status) noexcept
{
    return worker_statuses[static_cast<std::size_t>(status)];
}
std::string_view name_of(Priority priority) noexcept
{
    return priorities[static_cast<std::size_t>(priority)];
}
std::string_view name_of(Guarantee guarantee) noexcept
{
    return guarantees[static_cast<std::size_t>(guarantee)];
}
std::string_view name_of(Durability level) noexcept
{
    return durabilities[static_cast<std::size_t>(level)];
}

std::optional<TaskStatus> task_status_named(std::string_view name) noexcept
{
    return named<TaskStatus>(task_statuses, name);
}

std::optional<WorkerStatus> worker_status_named(std::string_view name) noexcept
{
    return named<WorkerStatus>(worker_statuses, name);
}

std::optional<Priority> priority_named(std::string_view name) noexcept
{
    if (name == "medium")
        return Priority::normal;
    return named<Priority>(priorities, name);
}

std::optional<Guarantee> guarantee_named(std::string_view name) noexcept
{
    return named<Guarantee>(guarantees, name);
}

} // namespace coordination
