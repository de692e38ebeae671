#include "net/client/client_thread.hpp"

#include <utility>

#include <boost/asio/use_future.hpp>

namespace coordination {

ClientThread::ClientThread(CoordinationClientOptions options, std::size_t handler_threads)
    : work_(io_.get_executor()),
      handlers_(handler_threads),
      client_(std::make_unique<CoordinationClient>(io_.get_executor(), handlers_.get_executor(),
                                                   std::move(options))),
      thread_([this] { io_.run(); })
{
}

ClientThread::~ClientThread()
{
    client_->disconnect(boost::asio::use_future).wait();
    client_->let_go(); // a handler that still calls, and waits, is answered at once
    handlers_.join();
    client_.reset();
    work_.reset();
    thread_.join();
}

} // namespace coordination
