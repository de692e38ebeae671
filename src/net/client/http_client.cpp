#include "net/client/http_client.hpp"

#include <utility>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace coordination {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using net_client::nothrow;

HttpClient::HttpClient(const asio::any_io_executor& executor, ClientOptions options)
    : options_(std::move(options)),
      stream_(executor)
{
}

asio::awaitable<tl::expected<HttpResponse, ClientError>>
HttpClient::request(http::verb method, std::string target, std::string body)
{
    const bool kept = still_open();
    auto reply = co_await exchange(method, target, body);
    if (!reply && kept && !aborted_ && method == http::verb::get &&
        reply.error().kind == ClientErrorKind::closed)
        reply = co_await exchange(method, target, body);
    co_return reply;
}

asio::awaitable<tl::expected<HttpResponse, ClientError>>
HttpClient::exchange(http::verb method, std::string target, std::string body)
{
    if (!still_open()) {
        drop();
        const auto connected =
            co_await connector_.open(&stream_, options_.endpoint, options_.connect_timeout);
        if (!connected) {
            drop();
            co_return tl::unexpected(connected.error());
        }
    }
    http::request<http::string_body> request{method, target, 11};
    request.set(http::field::host, options_.endpoint.authority());
    if (!options_.token.empty())
        request.set(http::field::authorization, "Bearer " + options_.token);
    if (method != http::verb::get) {
        request.set(http::field::content_type, "application/json");
        request.body() = std::move(body);
        request.prepare_payload();
    }
    stream_.expires_after(options_.reply_timeout);
    const auto [error, written] = co_await http::async_write(stream_, request, nothrow);
    if (error) {
        drop();
        co_return tl::unexpected(client_error_from(error, ClientErrorKind::closed));
    }
    auto response = co_await read_response();
    co_return response;
}

asio::awaitable<tl::expected<HttpResponse, ClientError>> HttpClient::read_response()
{
    http::response_parser<http::string_body> parser;
    parser.body_limit(options_.body_bytes_max);
    for (;;) { // the deadline is one of silence: a long list that keeps coming may take its time
        stream_.expires_after(options_.reply_timeout);
        const auto [error, count] = co_await http::async_read_some(stream_, buffer_, parser, nothrow);
        if (error) {
            drop();
            co_return tl::unexpected(client_error_from(error, ClientErrorKind::malformed));
        }
        if (parser.is_done())
            break;
    }
    stream_.expires_never();
    HttpResponse response{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
    if (!parser.keep_alive())
        drop();
    co_return response;
}

/// Asks the socket before it is used again, so that a connection which the daemon has closed in the meantime
/// (idle for too long, restarted) costs a new one and not an error.
bool HttpClient::still_open()
{
    auto& socket = stream_.socket();
    if (!socket.is_open())
        return false;
    boost::system::error_code error;
    socket.non_blocking(true, error);
    char byte = 0;
    socket.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
    return error == asio::error::would_block; // a byte that nobody asked for is as bad as an end
}

void HttpClient::abort()
{
    aborted_ = true;
    connector_.abort();
    stream_.close();
}

void HttpClient::drop()
{
    stream_.close();
    buffer_.clear();
}

} // namespace coordination
