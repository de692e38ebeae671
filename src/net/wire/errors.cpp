#include "net/wire/errors.hpp"

#include "core/json/write.hpp"

namespace coordination::wire {
namespace {

void append_error(json::ObjectWriter& writer, const Error& error)
{
    writer.raw("success", "false").string("error", error.message).string("code", form_of(error.code).code);
    if (error.oldest != 0)
        writer.number("oldest", error.oldest);
}

} // namespace

ErrorForm form_of(ErrorCode code) noexcept
{
    switch (code) {
    case ErrorCode::missing_field:
        return {"MISSING_FIELD", 400};
    case ErrorCode::invalid_json:
    case ErrorCode::json_too_deep:
        return {"INVALID_JSON", 400};
    case ErrorCode::invalid_field:
    case ErrorCode::id_too_long:
    case ErrorCode::too_many_topics:
        return {"INVALID_FIELD", 400};
    case ErrorCode::not_found:
        return {"NOT_FOUND", 404};
    case ErrorCode::method_not_allowed:
        return {"METHOD_NOT_ALLOWED", 405};
    case ErrorCode::payload_too_large:
        return {"PAYLOAD_TOO_LARGE", 413};
    case ErrorCode::unsupported_media_type:
        return {"UNSUPPORTED_MEDIA_TYPE", 415};
    case ErrorCode::forbidden_origin:
        return {"FORBIDDEN_ORIGIN", 403};
    case ErrorCode::unauthorized:
        return {"UNAUTHORIZED", 401};
    case ErrorCode::worker_not_found:
        return {"WORKER_NOT_FOUND", 404};
    case ErrorCode::task_not_found:
        return {"TASK_NOT_FOUND", 404};
    case ErrorCode::no_available_workers:
        return {"NO_AVAILABLE_WORKERS", 409};
    case ErrorCode::worker_offline:
        return {"WORKER_OFFLINE", 409};
    case ErrorCode::worker_at_capacity:
        return {"WORKER_AT_CAPACITY", 409};
    case ErrorCode::capability_mismatch:
        return {"CAPABILITY_MISMATCH", 409};
    case ErrorCode::task_conflict:
        return {"TASK_CONFLICT", 409};
    case ErrorCode::stale_attempt:
        return {"STALE_ATTEMPT", 409};
    case ErrorCode::revision_compacted:
        return {"REVISION_COMPACTED", 409};
    case ErrorCode::snapshot_unavailable:
        return {"SNAPSHOT_UNAVAILABLE", 409};
    case ErrorCode::queue_full:
    case ErrorCode::too_many_tasks:
        return {"QUEUE_FULL", 429};
    case ErrorCode::too_many_workers:
        return {"TOO_MANY_WORKERS", 429};
    case ErrorCode::too_many_reads:
        return {"TOO_MANY_READS", 503};
    case ErrorCode::storage_failed:
        return {"STORAGE_FAILED", 503};
    case ErrorCode::too_many_connections:
        return {"TOO_MANY_CONNECTIONS", 503};
    case ErrorCode::not_running:
        return {"NOT_RUNNING", 503};
    }
    return {"INTERNAL", 500}; // not a value of the enum
}

std::string failure(const Error& error)
{
    std::string out;
    json::ObjectWriter writer(out);
    append_error(writer, error);
    writer.close();
    return out;
}

std::string failure(std::string_view code, std::string_view message)
{
    std::string out;
    json::ObjectWriter writer(out);
    writer.raw("success", "false").string("error", message).string("code", code).close();
    return out;
}

std::string error_message(const Error& error, const Subject& subject)
{
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "error").string("message", error.message).string("code", form_of(error.code).code);
    if (!subject.task.empty())
        writer.string("taskId", subject.task);
    if (!subject.worker.empty())
        writer.string("workerId", subject.worker);
    if (error.oldest != 0)
        writer.number("oldest", error.oldest);
    writer.close();
    return out;
}

std::string failed_response(std::string_view request_id, const Error& error)
{
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "response").raw("requestId", request_id);
    append_error(writer, error);
    writer.close();
    return out;
}

} // namespace coordination::wire
