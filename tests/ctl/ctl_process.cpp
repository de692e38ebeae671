#include "ctl/ctl_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace coordination::testing {

namespace {

std::string binary()
{
    const char* folder = std::getenv("COORD_BIN_DIR");
    return std::string(folder ? folder : COORD_BIN_DIR_DEFAULT) + "/coordctl";
}

std::vector<std::string> variables(const Environment& own)
{
    std::vector<std::string> all;
    for (char** variable = environ; *variable; ++variable) {
        const std::string_view text(*variable);
        if (!text.starts_with("COORDINATION_") && !text.starts_with("NO_COLOR=") &&
            !text.starts_with("TERM="))
            all.emplace_back(text);
    }
    for (const auto& [name, value] : own)
        all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings)
{
    std::vector<char*> all;
    for (auto& string : strings)
        all.push_back(string.data());
    all.push_back(nullptr);
    return all;
}

std::string url(const char* scheme, std::uint16_t port)
{
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port);
}

/// Our end and the child's end of a stream.
struct Ends {
    int ours = -1;
    int theirs = -1;
};

Ends pipe_ends()
{
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
        throw std::runtime_error("pipe");
    return {pipe[0], pipe[1]};
}

Ends terminal_ends()
{
    const winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    Ends ends;
    if (::openpty(&ends.ours, &ends.theirs, nullptr, nullptr, &size) != 0)
        throw std::runtime_error("openpty");
    ::fcntl(ends.ours, F_SETFD, FD_CLOEXEC);
    ::fcntl(ends.theirs, F_SETFD, FD_CLOEXEC);
    return ends;
}

} // namespace

CtlProcess::CtlProcess(std::uint16_t http_port, std::uint16_t ws_port, const Arguments& args,
                       const Environment& environment, Streams streams)
{
    std::vector<std::string> words{binary()};
    words.insert(words.end(), args.begin(), args.end());
    auto settings = Environment{{"TERM", "xterm"},
                                {"COORDINATION_HTTP_URL", url("http", http_port)},
                                {"COORDINATION_WS_URL", url("ws", ws_port)}};
    for (const auto& [name, value] : environment)
        settings[name] = value;
    auto texts = variables(settings);
    const auto argv = pointers(words);
    const auto envp = pointers(texts);

    const bool terminal = streams == Streams::terminal;
    const auto out = terminal ? terminal_ends() : pipe_ends();
    const auto err = pipe_ends();
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setsid();
        if (terminal)
            ::ioctl(out.theirs, TIOCSCTTY, 0);
        const bool wired = ::dup2(terminal ? out.theirs : null, STDIN_FILENO) >= 0 &&
                           ::dup2(out.theirs, STDOUT_FILENO) >= 0 && ::dup2(err.theirs, STDERR_FILENO) >= 0;
        if (::getppid() == parent && wired)
            ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    for (const int end : {out.theirs, err.theirs, null})
        ::close(end);
    if (pid_ < 0)
        throw std::runtime_error("fork");
    out_ = out.ours;
    err_ = err.ours;
}

CtlProcess::~CtlProcess()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    for (const int stream : {out_, err_})
        if (stream >= 0)
            ::close(stream);
}

bool CtlProcess::pump(const Deadline& deadline)
{
    std::array<pollfd, 2> streams{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    if (out_ < 0 && err_ < 0)
        return false;
    if (::poll(streams.data(), streams.size(), deadline.remaining_ms()) == 0)
        throw std::runtime_error("coordctl keeps silent; so far it said:\n" + out_text_ + err_text_);
    for (auto* stream : {&out_, &err_}) {
        const auto& polled = streams[stream == &out_ ? 0 : 1];
        if (*stream < 0 || polled.revents == 0)
            continue;
        std::array<char, 16384> block{};
        const auto count = ::read(*stream, block.data(), block.size());
        if (count > 0) {
            (stream == &out_ ? out_text_ : err_text_).append(block.data(), static_cast<std::size_t>(count));
        } else { // the end; a terminal says it with an error
            ::close(*stream);
            *stream = -1;
        }
    }
    return true;
}

void CtlProcess::await(const std::string& text, std::string_view part)
{
    const Deadline deadline;
    while (text.find(part) == std::string::npos)
        if (!pump(deadline))
            throw std::runtime_error("coordctl never said '" + std::string(part) + "' but:\n" + out_text_ +
                                     err_text_);
}

void CtlProcess::await_out(std::string_view part)
{
    await(out_text_, part);
}

void CtlProcess::await_err(std::string_view part)
{
    await(err_text_, part);
}

void CtlProcess::type(std::string_view keys)
{
    if (::write(out_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
        throw std::runtime_error("write");
}

void CtlProcess::signal(int number) const
{
    if (pid_ <= 0) // a number below would reach every process there is
        throw std::runtime_error("coordctl has ended already");
    ::kill(pid_, number);
}

Ended CtlProcess::wait()
{
    const Deadline deadline;
    while (pump(deadline)) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), out_text_, err_text_};
}

Ended ctl(const DaemonProcess& daemon, const Arguments& args, const Environment& environment)
{
    return CtlProcess(daemon, args, environment).wait();
}

} // namespace coordination::testing
