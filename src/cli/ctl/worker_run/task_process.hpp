#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/worker_run/child_output.hpp"
#include "cli/ctl/worker_run/child_process.hpp"

namespace coordination::ctl {

/// How a task's command ended: `detail` is the task's result or its error.
struct Ending {
    bool completed = false;
    boost::json::object detail;
};

/// Who hears what a command says while it runs.
struct Listener {
    std::function<void(double)> progress;
    std::function<void(std::string_view)> out_line;
    std::function<void(std::string_view)> err_line;
};

/// A command at work on a task.
class TaskProcess : public std::enable_shared_from_this<TaskProcess> {
public:
    /// `grace` is how long a command may take to end when it is asked to.
    static tl::expected<std::shared_ptr<TaskProcess>, std::string>
    start(const boost::asio::any_io_executor& executor, const ChildCommand& command,
          std::chrono::milliseconds grace);

    /// Writes `input` to the command, listens to it, and returns when it has ended. Once.
    /// The listener outlives it.
    boost::asio::awaitable<Ending> attend(std::string input, Listener listener);

    /// Asks the command to end, and kills it when it has not within the grace. attend() returns either way.
    void terminate();

private:
    TaskProcess(const boost::asio::any_io_executor& executor, std::shared_ptr<ChildProcess> child,
                std::string name, std::chrono::milliseconds grace);

    boost::asio::awaitable<void> feed(std::string input);
    boost::asio::awaitable<void> listen(boost::asio::posix::stream_descriptor* stream,
                                        LineSplitter::Sink sink);
    boost::asio::awaitable<void> reap();
    Ending ending() const;

    std::shared_ptr<ChildProcess> child_;
    std::string name_;
    std::chrono::milliseconds grace_;
    boost::asio::steady_timer grace_over_;
    boost::asio::steady_timer lingering_;
    int open_streams_ = 2;
    ExitStatus status_;
    OutputTail out_;
    OutputTail err_;
};

} // namespace coordination::ctl
