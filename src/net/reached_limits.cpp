#include "net/reached_limits.hpp"

namespace coordination {

void ReachedLimits::count(ErrorCode refusal) noexcept
{
    switch (refusal) {
    case ErrorCode::id_too_long:
        return count(LimitKind::id_bytes);
    case ErrorCode::json_too_deep:
        return count(LimitKind::json_depth);
    case ErrorCode::too_many_topics:
        return count(LimitKind::topics);
    case ErrorCode::too_many_reads:
        return count(LimitKind::state_reads);
    case ErrorCode::too_many_tasks:
        return count(LimitKind::tasks);
    case ErrorCode::too_many_workers:
        return count(LimitKind::workers);
    case ErrorCode::queue_full:
        return count(LimitKind::messages);
    case ErrorCode::revision_compacted:
        return count(LimitKind::history);
    default: // no limit of ours, or counted where it is found
        return;
    }
}

} // namespace coordination
