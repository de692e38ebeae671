#include "cli/ctl/failure.hpp"

#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/text.hpp"
#include "net/client/parse_object.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

std::string_view hint_for(std::string_view code)
{
    if (code == "NO_AVAILABLE_WORKERS")
        return "see who is there with coordctl worker ls, or start one with coordctl worker run";
    if (code == "WORKER_NOT_FOUND" || code == "WORKER_OFFLINE" || code == "WORKER_AT_CAPACITY")
        return "see coordctl worker ls";
    if (code == "CAPABILITY_MISMATCH")
        return "see what it can do with coordctl worker info";
    if (code == "TASK_NOT_FOUND")
        return "see coordctl task ls";
    if (code == "TASK_CONFLICT" || code == "STALE_ATTEMPT")
        return "see where it stands with coordctl task info";
    return "";
}

} // namespace

Failure unreachable(const ClientError& error, const Endpoint& endpoint, std::string_view scheme)
{
    if (error.kind == ClientErrorKind::declined) {
        return refused(HttpResponse{.status = error.status, .body = error.body});
    }
    const auto* option = scheme == "ws" ? "--ws-url" : "--url";
    const auto url = fmt::format("{}://{}", scheme, endpoint.authority());
    std::string message;
    switch (error.kind) {
    case ClientErrorKind::unresolvable:
    case ClientErrorKind::unreachable:
        message = fmt::format("cannot reach the daemon at {}: {}; start it with ./tools/start or set {}", url,
                              error.message, option);
        break;
    case ClientErrorKind::timed_out:
        message = fmt::format("the daemon at {} does not answer: {}; see its log, or set {}", url,
                              error.message, option);
        break;
    case ClientErrorKind::malformed:
        message = fmt::format("what answers at {} is no coordination daemon: {}; set {}", url,
                              printable(error.message), option);
        break;
    default:
        message = fmt::format("lost the daemon at {}: {}", url, printable(error.message));
    }
    return Failure{.status = exit_failed, .message = std::move(message), .transient = true};
}

Failure refused(const json::object& answer)
{
    Failure failure;
    failure.code = string_or(answer, "code", "");
    failure.body = json::serialize(answer);
    const auto text = string_or(answer, "error", string_or(answer, "message", "it gave no reason"));
    failure.message = "the daemon refused: " + printable(text);
    if (!failure.code.empty())
        failure.message += " (" + printable(failure.code) + ")";
    if (const auto hint = hint_for(failure.code); !hint.empty())
        failure.message += "; " + std::string(hint);
    return failure;
}

Failure refused(const HttpResponse& response)
{
    const auto body = net_client::parse_object(response.body);
    Failure failure;
    if (body && body->contains("error")) {
        failure = refused(*body);
    } else {
        failure.message = fmt::format("the daemon refused with HTTP status {}", response.status);
    }
    failure.body = response.body;
    failure.transient = response.status >= 500 || response.status == 429;
    if (response.status == 401)
        failure.message += "; give its token with --token-file FILE or COORDINATION_TOKEN_FILE";
    return failure;
}

Failure wrong_usage(std::string message)
{
    return Failure{.status = exit_usage, .message = std::move(message)};
}

} // namespace coordination::ctl
