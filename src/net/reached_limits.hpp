#pragma once

#include "core/error.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coordination {

/// The limits at which a caller is refused, cut off or made to wait.
enum class LimitKind : std::uint8_t {
    connections,
    header_bytes,
    body_bytes,
    frame_bytes,
    calls_under_way,
    id_bytes,
    json_depth,
    topics,
    state_reads,
    tasks,
    workers,
    messages,
    history,
    handshake_time,
    request_time,
    http_idle_time,
    ws_idle_time,
    unread_time,
};

/// How often each limit was reached.
///
/// Threads  Any.
class ReachedLimits {
public:
    struct Row {
        LimitKind kind;
        std::string_view name; ///< in JSON and as a label
    };
    static constexpr std::array rows{
        Row{LimitKind::connections, "connections"},
        Row{LimitKind::header_bytes, "headerBytes"},
        Row{LimitKind::body_bytes, "bodyBytes"},
        Row{LimitKind::frame_bytes, "frameBytes"},
        Row{LimitKind::calls_under_way, "callsUnderWay"},
        Row{LimitKind::id_bytes, "idBytes"},
        Row{LimitKind::json_depth, "jsonDepth"},
        Row{LimitKind::topics, "topics"},
        Row{LimitKind::state_reads, "stateReads"},
        Row{LimitKind::tasks, "tasks"},
        Row{LimitKind::workers, "workers"},
        Row{LimitKind::messages, "messages"},
        Row{LimitKind::history, "history"},
        Row{LimitKind::handshake_time, "handshakeTime"},
        Row{LimitKind::request_time, "requestTime"},
        Row{LimitKind::http_idle_time, "httpIdleTime"},
        Row{LimitKind::ws_idle_time, "wsIdleTime"},
        Row{LimitKind::unread_time, "unreadTime"},
    };

    void count(LimitKind kind) noexcept { at(kind).fetch_add(1, std::memory_order_relaxed); }
    /// A refusal, which is one for a limit or is not.
    void count(ErrorCode refusal) noexcept;
    std::uint64_t operator[](LimitKind kind) const noexcept
    {
        return counts_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t>& at(LimitKind kind) noexcept
    {
        return counts_[static_cast<std::size_t>(kind)];
    }

    std::array<std::atomic<std::uint64_t>, rows.size()> counts_{};
};

} // namespace coordination
