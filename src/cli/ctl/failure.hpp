#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "net/client/client_error.hpp"
#include "net/client/endpoint.hpp"
#include "net/client/http_client.hpp"

namespace coordination::ctl {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed =
    1; ///< the daemon refused or cannot be reached, or what was asked for did not come about
inline constexpr int exit_usage = 2; ///< the command line, or a file that it names, is wrong

/// Why a command ends, for the person who gave it: one line that says what to do.
struct Failure {
    int status = exit_failed;
    std::string message;
    std::string code = {};  ///< the daemon's, where it refused
    std::string body = {};  ///< the daemon's whole answer, for --json
    bool transient = false; ///< the same may succeed later: the daemon is away, or has no room now
};

using Outcome = tl::expected<void, Failure>;

/// `scheme` is the one of the URL that the user can change: http (--url) or ws (--ws-url).
Failure unreachable(const ClientError& error, const Endpoint& endpoint, std::string_view scheme);

/// What the daemon refused, from its answer over HTTP or in a frame, with a hint where there
/// is something to do.
Failure refused(const HttpResponse& response);
Failure refused(const boost::json::object& answer);

Failure wrong_usage(std::string message);

} // namespace coordination::ctl
