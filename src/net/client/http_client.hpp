#pragma once

#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/verb.hpp>
#include <tl/expected.hpp>

#include "net/client/client_error.hpp"
#include "net/client/connect.hpp"

namespace coordination {

struct HttpResponse {
    unsigned status = 0;
    std::string body;

    bool ok() const { return status >= 200 && status < 300; }
};

/// One keep-alive connection to a daemon's HTTP port, opened when it is first needed and again
/// after it was lost.
///
/// Use      One request at a time; from one strand; the client outlives its requests.
/// Errors   Every failure is a value. A refusal by the daemon is a response.
/// Repeats  A GET whose kept connection turns out to be gone is sent once more. Nothing else is: whether a
///          lost POST was carried out, nobody knows.
class HttpClient {
public:
    HttpClient(const boost::asio::any_io_executor& executor, ClientOptions options);

    /// `body` is sent as application/json. `target` is what follows host and port, percent-encoded.
    boost::asio::awaitable<tl::expected<HttpResponse, ClientError>>
    request(boost::beast::http::verb method, std::string target, std::string body = {});

    /// For good: the request that is under way ends with `closed`.
    void abort();

private:
    boost::asio::awaitable<tl::expected<HttpResponse, ClientError>>
    exchange(boost::beast::http::verb method, std::string target, std::string body);
    boost::asio::awaitable<tl::expected<HttpResponse, ClientError>> read_response();
    bool still_open();
    void drop();

    ClientOptions options_;
    net_client::Connector connector_;
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    bool aborted_ = false;
};

} // namespace coordination
