#include "net/http/response.hpp"

#include "net/wire/errors.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <iterator>

namespace coordination {

Response failure_response(const Error& error)
{
    Response response;
    response.status = wire::form_of(error.code).status;
    response.body = wire::failure(error);
    if (error.code == ErrorCode::unauthorized)
        response.headers = "WWW-Authenticate: Bearer\r\n";
    return response;
}

std::string response_head(const Response& response, const ResponseForm& form,
                          std::optional<std::size_t> body_bytes)
{
    namespace http = boost::beast::http;
    std::string head;
    const std::string_view reason = http::obsolete_reason(static_cast<http::status>(response.status));
    const auto out = std::back_inserter(head);
    fmt::format_to(out, "HTTP/1.1 {} {}\r\n", response.status, reason);
    if (!response.content_type.empty())
        fmt::format_to(out, "Content-Type: {}\r\n", response.content_type);
    const bool may_have_body = response.status != static_cast<unsigned>(http::status::no_content);
    if (may_have_body && body_bytes)
        fmt::format_to(out, "Content-Length: {}\r\n", *body_bytes);
    else if (may_have_body && form.http11)
        head += "Transfer-Encoding: chunked\r\n";
    if (!form.keep_alive)
        head += "Connection: close\r\n";
    else if (!form.http11)
        head += "Connection: keep-alive\r\n";
    head += response.headers;
    head += form.headers;
    head += "\r\n";
    return head;
}

std::string chunk(std::string_view piece, bool last)
{
    std::string out;
    if (!piece.empty())
        out = fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    if (last)
        out += "0\r\n\r\n";
    return out;
}

} // namespace coordination
