#pragma once

#include "support/daemon_process.hpp"
#include "support/deadline.hpp"

#include <string>
#include <string_view>

namespace coordination::testing {

enum class Streams { pipes, terminal };

/// A coordctl that runs. Its daemon is told by COORDINATION_HTTP_URL and COORDINATION_WS_URL; of our own
/// variables none that begins with COORDINATION_ is inherited, nor NO_COLOR. On a terminal its standard input
/// and output are one that is 100 columns wide and 30 lines high; standard error is a pipe either way.
class CtlProcess {
public:
    CtlProcess(std::uint16_t http_port, std::uint16_t ws_port, const Arguments& args,
               const Environment& environment = {}, Streams streams = Streams::pipes);
    CtlProcess(const DaemonProcess& daemon, const Arguments& args, const Environment& environment = {},
               Streams streams = Streams::pipes)
        : CtlProcess(daemon.http_port(), daemon.ws_port(), args, environment, streams)
    {
    }
    ~CtlProcess();
    CtlProcess(const CtlProcess&) = delete;
    CtlProcess& operator=(const CtlProcess&) = delete;

    /// Wait until the text has come; throw at the deadline or when it cannot come any more.
    void await_out(std::string_view part);
    void await_err(std::string_view part);

    const std::string& out() const { return out_text_; }
    const std::string& err() const { return err_text_; }
    int pid() const { return pid_; }

    void type(std::string_view keys); ///< on the terminal
    void signal(int number) const;
    Ended wait();

private:
    bool pump(const Deadline& deadline); ///< false when both streams have ended
    void await(const std::string& text, std::string_view part);

    int pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    std::string out_text_;
    std::string err_text_;
};

/// Runs coordctl until it ends by itself.
Ended ctl(const DaemonProcess& daemon, const Arguments& args, const Environment& environment = {});

} // namespace coordination::testing
