#include "core/store/topics.hpp"

#include <array>

namespace coordination {
namespace {

constexpr std::array<std::string_view, collection_count> collections{"workers", "tasks", "assignments"};
constexpr std::array<std::string_view, operation_count> operations{"set", "update", "delete"};

/// The names that the part selects, as bits; none where it is unknown.
template <std::size_t N>
std::optional<unsigned> selected(const std::array<std::string_view, N>& names, std::string_view part) noexcept
{
    if (part == "*")
        return (1U << N) - 1;
    for (unsigned i = 0; i < N; ++i)
        if (names[i] == part)
            return 1U << i;
    return std::nullopt;
}

} // namespace

std::string_view name_of(Collection collection) noexcept
{
    return collections[static_cast<std::size_t>(collection)];
}
std::string_view name_of(Operation operation) noexcept
{
    return operations[static_cast<std::size_t>(operation)];
}

std::optional<TopicMask> compile_topic(std::string_view topic) noexcept
{
    if (topic == "*")
        return every_topic;
    const auto colon = topic.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto collection_part = topic.substr(0, colon);
    const auto chosen_operations = selected(operations, topic.substr(colon + 1));
    if (!chosen_operations)
        return std::nullopt;
    if (collection_part == "workerTasks" || collection_part == "metadata")
        return TopicMask{0};
    const auto chosen_collections = selected(collections, collection_part);
    if (!chosen_collections)
        return std::nullopt;
    TopicMask mask = 0;
    for (unsigned collection = 0; collection < collection_count; ++collection)
        if ((*chosen_collections & (1U << collection)) != 0)
            mask |= *chosen_operations << (collection * operation_count);
    return mask;
}

} // namespace coordination
