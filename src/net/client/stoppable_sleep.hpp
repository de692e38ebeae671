#pragma once

#include <chrono>
#include <stop_token>

#include <boost/asio/awaitable.hpp>

namespace coordination {

/// For handlers that wait: true when the time has passed, false as soon as the token has fired, also where that
/// was before the call. On any executor, several threads of it included.
boost::asio::awaitable<bool> sleep_unless_stopped(std::chrono::milliseconds duration, std::stop_token stop);

} // namespace coordination
