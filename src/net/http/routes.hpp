#pragma once

#include "net/http/exchange.hpp"
#include "net/http/target.hpp"
#include "net/server_context.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string_view>

namespace coordination {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// A request that was admitted, and what its route made of its path.
struct RoutedRequest {
    const HttpRequest& message;
    const Target& target;
    std::string_view id; ///< what stands for `{id}`
    ServerContext& context;
};

/// Finds the route and asks it. 404, 405 and 415 come from here.
Answer answer_request(const HttpRequest& message, ServerContext& context);

} // namespace coordination
