#include "net/http/response.hpp"

#include "core/json/write.hpp"
#include "net/wire/errors.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

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
    head.reserve(128);
    head += "HTTP/1.1 ";
    json::append_integer(head, response.status);
    head += ' ';
    const std::string_view reason = http::obsolete_reason(static_cast<http::status>(response.status));
    head.append(reason).append("\r\n");
    if (!response.content_type.empty())
        head.append("Content-Type: ").append(response.content_type).append("\r\n");
    const bool may_have_body = response.status != static_cast<unsigned>(http::status::no_content);
    if (may_have_body && body_bytes) {
        head += "Content-Length: ";
        json::append_integer(head, *body_bytes);
        head += "\r\n";
    } else if (may_have_body && form.http11) {
        head += "Transfer-Encoding: chunked\r\n";
    }
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
