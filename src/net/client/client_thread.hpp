#pragma once

#include <cstddef>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "net/client/coordination_client.hpp"

namespace coordination {

/// A client for programs that have no io_context: it brings its own threads. Its handlers may block, since
/// they run on threads of their own: those of tasks and messages on any of them, the rest one at a time.
/// Calls then take `asio::use_future` to wait, or `asio::detached` not to:
///
///     ClientThread client(options);
///     client->on_task_assigned([&](AssignedTask task) {
///         client->complete_task(task, work(task), asio::detached);
///     });
///     client->connect(asio::use_future).get();
///
/// Lifetime  The destructor disconnects as disconnect() does, then waits for the handlers that run: they see
///           their stop token. It must not be called from a handler.
class ClientThread {
public:
    explicit ClientThread(CoordinationClientOptions options, std::size_t handler_threads = 4);
    ~ClientThread();
    ClientThread(const ClientThread&) = delete;
    ClientThread& operator=(const ClientThread&) = delete;

    CoordinationClient& operator*() { return *client_; }
    CoordinationClient* operator->() { return client_.get(); }

private:
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::thread_pool handlers_;
    std::unique_ptr<CoordinationClient> client_;
    std::thread thread_;
};

} // namespace coordination
