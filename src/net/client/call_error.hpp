#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "net/client/client_error.hpp"

namespace coordination {

enum class CallErrorKind {
    refused,     ///< the daemon said no: `code` and `message` are its words
    lease_lost,  ///< the task is not this worker's any more; `code` where the daemon said so
    unreachable, ///< nobody there, or no daemon of ours
    lost,        ///< the connection ended before the answer: whether the call was carried out, nobody knows
    queue_full,  ///< as much as may waits to be sent already; nothing was taken
    too_large,   ///< more than one message may be; nothing was sent
    stopped,     ///< disconnect() was called, or the client is gone
    superseded,  ///< another connection has registered this worker: this one is over
    invalid,     ///< an option or an argument that cannot be
    malformed,   ///< what came is not the protocol
    handler_failed, ///< one of the user's handlers threw
};

/// Why a call of the client has no success.
struct CallError {
    CallErrorKind kind = CallErrorKind::lost;
    std::string code = {};                             ///< of a refusal: one of the contract's
    std::string message = {};                          ///< for people, without a full stop
    std::optional<std::int64_t> oldest = std::nullopt; ///< of REVISION_COMPACTED: the oldest revision kept
};

/// What the daemon answered: the members of its `response`, or the body of its HTTP reply.
using Answer = tl::expected<boost::json::object, CallError>;

namespace net_client {

CallError call_error_from(const ClientError& error);
/// From a response, an `error` message or an HTTP body that refuses.
CallError refusal_in(const boost::json::object& frame);

/// Whether a refusal with this code says that the task is no longer ours.
bool lease_is_lost(std::string_view code);
/// Whether it says that what we sent is wrong, now and for ever.
bool is_our_mistake(std::string_view code);
/// Whether the same message may be taken later.
bool may_succeed_later(std::string_view code);

} // namespace net_client

} // namespace coordination
