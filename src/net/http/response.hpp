#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace coordination {

/// An answer to a request, whatever the connection it goes out on.
struct Response {
    unsigned status = 200;
    std::string body{};
    std::string_view content_type = "application/json; charset=utf-8";
    std::string headers{}; ///< whole lines
};

Response failure_response(const Error& error);

/// What the request says of the form that its answer must have.
struct ResponseForm {
    bool body_wanted = true; ///< not for HEAD
    bool keep_alive = true;
    bool http11 = true;
    std::string headers; ///< whole lines that go with every answer to it
};

/// What stands before the body. `body_bytes` none: in chunks, or for HTTP/1.0 until the connection closes.
std::string response_head(const Response& response, const ResponseForm& form,
                          std::optional<std::size_t> body_bytes);

/// One piece of a body in chunks; `last`: and nothing follows.
std::string chunk(std::string_view piece, bool last);

} // namespace coordination
