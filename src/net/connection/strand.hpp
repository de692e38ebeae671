#pragma once

#include "net/run_by.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace coordination {

/// An executor that runs one handler at a time. Its type is erased, as Beast 1.81 does not compile with a
/// strand over any_io_executor: a strand there passes for an executor of the old kind.
using Strand = boost::asio::any_io_executor;
inline Strand strand_on(const boost::asio::any_io_executor& executor, RunBy run_by)
{
    if (run_by == RunBy::one_thread)
        return executor;
    return boost::asio::make_strand(executor);
}

using Socket = boost::asio::ip::tcp::socket;
using boost::system::error_code;

/// What fails in the normal course of events answers with an error_code, not an exception.
inline constexpr auto nothrow = boost::asio::as_tuple(boost::asio::use_awaitable);

} // namespace coordination
