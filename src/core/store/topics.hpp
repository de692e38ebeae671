#pragma once

#include "core/store/change.hpp"

#include <optional>
#include <string_view>

namespace coordination {

constexpr TopicMask topic_bit(Collection collection, Operation operation) noexcept
{
    return TopicMask{1} << (static_cast<unsigned>(collection) * operation_count +
                            static_cast<unsigned>(operation));
}

inline constexpr TopicMask every_topic = (TopicMask{1} << (collection_count * operation_count)) - 1;

/// The changes that `collection:operation` names, `*` standing for either part or the whole. None where it
/// names something unknown. `workerTasks` and `metadata` are known but, as they only follow from others,
/// never change.
std::optional<TopicMask> compile_topic(std::string_view topic) noexcept;

} // namespace coordination
