#include "net/client/call_error.hpp"

#include "net/client/json_fields.hpp"
#include "net/client/parse_object.hpp"

namespace coordination::net_client {

namespace json = boost::json;

CallError call_error_from(const ClientError& error)
{
    switch (error.kind) {
    case ClientErrorKind::declined: {
        if (const auto body = parse_object(error.body); body && find_string(*body, "code"))
            return refusal_in(*body);
        return {.kind = CallErrorKind::malformed, .message = error.message};
    }
    case ClientErrorKind::closed:
    case ClientErrorKind::outbox_full:
        return {.kind = CallErrorKind::lost, .message = error.message};
    case ClientErrorKind::malformed:
        return {.kind = CallErrorKind::malformed, .message = error.message};
    case ClientErrorKind::unresolvable:
    case ClientErrorKind::unreachable:
    case ClientErrorKind::timed_out:
        break;
    }
    return {.kind = CallErrorKind::unreachable, .message = error.message};
}

CallError refusal_in(const json::object& frame)
{
    return {.kind = CallErrorKind::refused,
            .code = string_or(frame, "code", ""),
            .message = string_or(frame, "error", string_or(frame, "message", "the daemon gave no reason")),
            .oldest = find_integer(frame, "oldest")};
}

bool lease_is_lost(std::string_view code)
{
    return code == "STALE_ATTEMPT" || code == "TASK_NOT_FOUND" || code == "TASK_CONFLICT";
}

bool is_our_mistake(std::string_view code)
{
    return code == "MISSING_FIELD" || code == "INVALID_FIELD" || code == "INVALID_JSON";
}

bool may_succeed_later(std::string_view code)
{
    return code == "STORAGE_FAILED" || code == "QUEUE_FULL";
}

} // namespace coordination::net_client
