#pragma once

#include "net/endpoints.hpp"
#include "net/options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <tl/expected.hpp>

#include <memory>
#include <string>

namespace coordination {

/// The whole daemon in one object: state, persistence, both ports. Several may live in one process, on one
/// io_context or on different ones.
///
/// Ownership  Must outlive the run() of its io_context, which must outlive it in turn.
/// Threads    start() before anyone runs the io_context, or on one of its threads; shutdown() on any
///            executor of it.
class Daemon {
public:
    Daemon(boost::asio::io_context& io, DaemonOptions options);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Recovers the state, takes the ports and serves as soon as the io_context runs. What stands in the way
    /// (a port that is taken, damaged state, a directory in use) is told in one line that says what to do;
    /// nothing is left behind.
    tl::expected<Endpoints, std::string> start();

    /// No new work; what is in flight is answered, sockets are closed with 1001, the state is saved.
    /// Afterwards the io_context has nothing left to do for this daemon. The error tells why the state could
    /// not be saved.
    boost::asio::awaitable<tl::expected<void, std::string>> shutdown();

private:
    class Running;
    std::unique_ptr<Running> running_;
};

} // namespace coordination
