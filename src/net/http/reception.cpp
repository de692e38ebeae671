#include "net/http/reception.hpp"

#include "net/wire/errors.hpp"

#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <string>
#include <string_view>

namespace coordination {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

std::optional<std::string_view> header(const HttpRequest& request, http::field name)
{
    const auto field = request.find(name);
    if (field == request.end())
        return std::nullopt;
    return std::string_view(field->value());
}

Response upgrade_required()
{
    return {.status = 426,
            .body =
                wire::failure("UPGRADE_REQUIRED", "this port speaks WebSocket: HTTP has a port of its own"),
            .headers = "Connection: Upgrade\r\nUpgrade: websocket\r\n"};
}

/// What Beast would refuse too, but not in the form that every failure has.
std::optional<Response> refuse_handshake(const HttpRequest& request)
{
    constexpr std::size_t key_chars = 24; // 16 bytes in Base64
    if (request[http::field::sec_websocket_version] != "13")
        return Response{.status = 426,
                        .body = wire::failure("UPGRADE_REQUIRED", "Sec-WebSocket-Version must be 13"),
                        .headers = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                   "Sec-WebSocket-Version: 13\r\n"};
    if (request[http::field::sec_websocket_key].size() != key_chars)
        return Response{.status = 400,
                        .body = wire::failure("BAD_REQUEST", "Sec-WebSocket-Key must be 16 bytes in Base64")};
    return std::nullopt;
}

Response preflight_reply()
{
    return {.status = 204,
            .content_type = {},
            .headers = "Access-Control-Allow-Methods: GET, POST\r\n"
                       "Access-Control-Allow-Headers: Content-Type, Authorization\r\n"
                       "Access-Control-Max-Age: 600\r\n"};
}

} // namespace

Reception receive(const HttpRequest& head, bool chunked, Services services, const ServerContext& context)
{
    const auto origin = header(head, http::field::origin);
    const bool foreign = origin && context.access->is_allowed_origin(*origin);
    const bool preflight = head.method() == http::verb::options && foreign;
    const bool probe = services.http && head.target() == "/health";
    Reception reception;
    auto& form = reception.form;
    form.body_wanted = head.method() != http::verb::head;
    form.keep_alive = head.keep_alive();
    form.http11 = head.version() >= 11;
    if (origin && foreign) // refusals too: else its page could not tell why
        form.headers = "Access-Control-Allow-Origin: " + std::string(*origin) + "\r\nVary: Origin\r\n";

    // Where this body ends, two readers in a row may see differently: what follows it is nobody's request.
    if (head.count(http::field::transfer_encoding) > 0 && (!chunked || !form.http11)) {
        form.keep_alive = false;
        reception.answer =
            Response{.status = 400,
                     .body = wire::failure("BAD_REQUEST",
                                           "Transfer-Encoding must end with chunked, and needs HTTP/1.1")};
        return reception;
    }
    const auto admitted = context.access->admit({.host = header(head, http::field::host),
                                                 .origin = origin,
                                                 .authorization = header(head, http::field::authorization),
                                                 .host_required = form.http11,
                                                 .token_required = !preflight && !probe});
    if (!admitted) {
        form.keep_alive = form.keep_alive && admitted.error().code != ErrorCode::missing_field;
        reception.answer = failure_response(admitted.error());
    } else if (head.count(http::field::host) > 1) {
        reception.answer = failure_response(invalid_field("Host", "told once"));
    } else if (services.websocket && beast::websocket::is_upgrade(head)) {
        reception.answer = refuse_handshake(head);
        reception.upgrade = !reception.answer;
    } else if (!services.http) {
        reception.answer = upgrade_required();
    } else if (preflight) {
        reception.answer = preflight_reply();
    }
    return reception;
}

} // namespace coordination
