#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coordination {

/// Why a call was refused. The wire code and the HTTP status of each stand in one switch in `net`.
enum class ErrorCode {
    missing_field,
    invalid_json,
    invalid_field,
    not_found,
    method_not_allowed,
    payload_too_large,
    unsupported_media_type,
    forbidden_origin,
    unauthorized,
    worker_not_found,
    task_not_found,
    no_available_workers,
    worker_offline,
    worker_at_capacity,
    capability_mismatch,
    task_conflict,
    stale_attempt,
    revision_compacted,
    snapshot_unavailable,
    storage_failed,
    too_many_connections,
    not_running,
    queue_full,
    // Limits that clients know as one of the above, or as a code of their own.
    id_too_long,
    json_too_deep,
    too_many_topics,
    too_many_reads,
    too_many_tasks,
    too_many_workers,
};

/// A refusal: what is wrong with the call or the state of the world. Nothing was changed.
struct Error {
    ErrorCode code;
    std::string message;      ///< a sentence for people: what, where, what to do
    std::uint64_t oldest = 0; ///< revision_compacted: the oldest revision that is left
};

inline Error missing_field(std::string_view name)
{
    return {ErrorCode::missing_field, std::string(name) + " is required", 0};
}

inline Error invalid_field(std::string_view name, std::string_view expected)
{
    return {ErrorCode::invalid_field, std::string(name) + " must be " + std::string(expected), 0};
}

inline Error too_long(std::string_view name, std::size_t bytes_max)
{
    return {ErrorCode::id_too_long,
            std::string(name) + " must be at most " + std::to_string(bytes_max) + " bytes long", 0};
}

} // namespace coordination
