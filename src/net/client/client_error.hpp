#pragma once

#include <string>

#include <boost/system/error_code.hpp>

namespace coordination {

enum class ClientErrorKind {
    unresolvable, ///< the host's name has no address
    unreachable,  ///< nobody took the connection
    timed_out,    ///< somebody did, or might have, but said nothing in time
    declined,     ///< the WebSocket handshake was answered with another status: see `status`
    closed,       ///< the connection ended; for a WebSocket `close_code` says how
    malformed,    ///< what came is not the protocol, or is over a limit
    outbox_full,  ///< the daemon does not read what is sent to it
};

/// Why a client has no answer. An answer that refuses is not one of these: it is an answer.
struct ClientError {
    ClientErrorKind kind = ClientErrorKind::closed;
    std::string message;     ///< for people, without a full stop: "connection refused"
    unsigned status = 0;     ///< of a declined handshake
    std::string body = {};   ///< of a declined handshake
    unsigned close_code = 0; ///< of a WebSocket that was closed in order
};

/// What an error code of Asio or Beast means to a client; `otherwise` is the kind where the code is
/// of no special kind.
ClientError client_error_from(const boost::system::error_code& error, ClientErrorKind otherwise);

} // namespace coordination
