#include "net/client/client_error.hpp"

#include <cctype>

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>

namespace coordination {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

bool ended_by_peer(const boost::system::error_code& error)
{
    return error == asio::error::eof || error == asio::error::connection_reset ||
           error == asio::error::broken_pipe || error == asio::error::operation_aborted ||
           error == beast::http::error::end_of_stream || error == beast::http::error::partial_message ||
           error == beast::websocket::error::closed;
}

} // namespace

ClientError client_error_from(const boost::system::error_code& error, ClientErrorKind otherwise)
{
    if (error == beast::error::timeout)
        return {.kind = ClientErrorKind::timed_out, .message = "no answer in time"};
    if (ended_by_peer(error))
        return {.kind = ClientErrorKind::closed, .message = "the connection was closed"};
    std::string message = error.message();
    if (!message.empty())
        message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
    return {.kind = otherwise, .message = message};
}

} // namespace coordination
