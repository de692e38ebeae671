#pragma once

#include "net/http/response.hpp"
#include "net/http/routes.hpp"
#include "net/server_context.hpp"

#include <optional>

namespace coordination {

/// What a port serves. Both, where the two ports are one.
struct Services {
    bool http;
    bool websocket;
};

/// What is decided once a request's head is there, before a byte of its body is asked for.
struct Reception {
    ResponseForm form{};
    std::optional<Response>
        answer{};         ///< to be given without looking at the body: a refusal, or a preflight's
    bool upgrade = false; ///< it is to become a WebSocket
};

/// `chunked`: the parser has understood that the body comes in chunks.
Reception receive(const HttpRequest& head, bool chunked, Services services, const ServerContext& context);

} // namespace coordination
