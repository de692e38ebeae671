#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/types.h>
#include <tl/expected.hpp>

namespace coordination::ctl {

struct ChildCommand {
    std::string program;                                          ///< a path, as find_program() gives it
    std::vector<std::string> command;                             ///< the arguments, the program's name first
    std::vector<std::pair<std::string, std::string>> environment; ///< beside our own
};

struct ExitStatus {
    bool signalled = false;
    int number = 0; ///< of the signal, or the exit status
};

/// A running program with pipes to its three streams, in a process group of its own, so that a Ctrl-C meant
/// for us does not reach it. It gets SIGTERM when we die, and is killed when this object goes.
class ChildProcess {
public:
    static tl::expected<std::shared_ptr<ChildProcess>, std::string>
    start(const boost::asio::any_io_executor& executor, const ChildCommand& command);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Returns when the program has ended; what it left running in its group is killed. Once.
    boost::asio::awaitable<ExitStatus> wait();
    /// To the whole group; nothing happens after wait() has returned.
    void signal(int number);

    boost::asio::posix::stream_descriptor in;
    boost::asio::posix::stream_descriptor out;
    boost::asio::posix::stream_descriptor err;

private:
    ChildProcess(const boost::asio::any_io_executor& executor, pid_t pid);
    ExitStatus reap();

    pid_t pid_; // 0 once it is reaped: from then on the number may be another's
    boost::asio::posix::stream_descriptor exited_; // a pidfd
};

/// The path that the shell would run for `name`; the error says why there is none.
tl::expected<std::string, std::string> find_program(const std::string& name);

} // namespace coordination::ctl
