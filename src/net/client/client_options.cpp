#include "net/client/client_options.hpp"

#include <array>
#include <utility>

namespace coordination::net_client {

namespace {

CallError invalid(const std::string& option, const std::string& why)
{
    return {.kind = CallErrorKind::invalid, .message = option + ": " + why};
}

} // namespace

tl::expected<ClientTargets, CallError> targets_of(const CoordinationClientOptions& options)
{
    const std::array durations{std::pair{"reconnect_interval", options.reconnect_interval},
                               std::pair{"reconnect_interval_max", options.reconnect_interval_max},
                               std::pair{"heartbeat_interval", options.heartbeat_interval},
                               std::pair{"connect_timeout", options.connect_timeout},
                               std::pair{"reply_timeout", options.reply_timeout},
                               std::pair{"silence_timeout", options.silence_timeout},
                               std::pair{"close_timeout", options.close_timeout}};
    for (const auto& [name, duration] : durations)
        if (duration.count() <= 0)
            return tl::unexpected(invalid(name, "it must be more than 0 ms"));
    const auto ws = parse_endpoint(options.ws_url, "ws");
    if (!ws)
        return tl::unexpected(invalid("ws_url", ws.error()));
    const auto http = parse_endpoint(options.http_url, "http");
    if (!http)
        return tl::unexpected(invalid("http_url", http.error()));
    ClientOptions common{.endpoint = *ws,
                         .token = options.token,
                         .connect_timeout = options.connect_timeout,
                         .reply_timeout = options.reply_timeout,
                         .close_timeout = options.close_timeout,
                         .silence_timeout = options.silence_timeout,
                         .frame_bytes_max = options.frame_bytes_max,
                         .outbox_bytes_max = 2 * options.unsent_bytes_max + options.message_bytes_max};
    ClientTargets targets{.ws = common, .http = common};
    targets.http.endpoint = *http;
    return targets;
}

} // namespace coordination::net_client
