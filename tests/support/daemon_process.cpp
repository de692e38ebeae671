#include "support/daemon_process.hpp"

#include "support/deadline.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

extern char** environ;

namespace coordination::testing {

namespace {

std::string binary()
{
    const char* folder = std::getenv("COORD_BIN_DIR");
    return std::string(folder ? folder : COORD_BIN_DIR_DEFAULT) + "/coordination-daemon";
}

Arguments with_defaults(const Arguments& args)
{
    Arguments all{"--port", "0", "--ws-port", "0", "--persistence", "memory-only"};
    all.insert(all.end(), args.begin(), args.end());
    return all;
}

std::vector<std::string> variables(const Environment& own)
{
    std::vector<std::string> all;
    for (char** variable = environ; *variable; ++variable) {
        if (!std::string_view(*variable).starts_with("COORDINATION_"))
            all.emplace_back(*variable);
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

std::uint16_t port_after(const std::string& line, const std::string& name)
{
    const auto at = line.find(name + "=");
    const auto end = line.find(' ', at);
    const auto colon = line.rfind(':', end);
    const int port = at == std::string::npos || colon == std::string::npos || colon < at
                         ? 0
                         : std::atoi(line.c_str() + colon + 1);
    if (port <= 0 || port > 65535)
        throw std::runtime_error("no " + name + " port in '" + line + "'");
    return static_cast<std::uint16_t>(port);
}

} // namespace

DaemonProcess::DaemonProcess(const Arguments& args, const Environment& environment)
    : own_folder_(std::in_place)
{
    start(own_folder_->path(), with_defaults(args), environment);
    await_ready();
}

DaemonProcess::DaemonProcess(const TempDir& folder, const Arguments& args, const Environment& environment)
{
    Arguments all{"--port", "0", "--ws-port", "0"};
    all.insert(all.end(), args.begin(), args.end());
    start(folder.path(), all, environment);
    await_ready();
}

DaemonProcess::DaemonProcess(Started, const TempDir& folder, const Arguments& args,
                             const Environment& environment)
{
    start(folder.path(), args, environment);
}

DaemonProcess::~DaemonProcess()
{
    if (pid_ > 0) {
        try {
            const auto ended = terminate();
            if (ended.status != 0)
                FAIL_CHECK("the daemon ended with status " << ended.status << " and said:\n" << ended.err);
        } catch (const std::exception& error) {
            FAIL_CHECK(error.what());
        }
    }
    if (std::uncaught_exceptions() > 0)
        std::fprintf(stderr, "the daemon said:\n%s\n", err().c_str());
    if (pid_ > 0)
        kill();
    for (const int descriptor : {process_, out_}) {
        if (descriptor >= 0)
            ::close(descriptor);
    }
    if (!own_folder_)
        std::filesystem::remove(err_path_);
}

void DaemonProcess::start(const std::filesystem::path& folder, const Arguments& args,
                          const Environment& environment)
{
    const auto program = binary();
    std::vector<std::string> words{program};
    words.insert(words.end(), args.begin(), args.end());
    auto settings = variables(environment);
    const auto argv = pointers(words);
    const auto envp = pointers(settings);

    static int count = 0;
    err_path_ = (folder / ("stderr-" + std::to_string(++count))).string();
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
        throw std::runtime_error("pipe");
    const int err = ::open(err_path_.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that is killed leaves no daemon behind
        if (::getppid() == parent && ::chdir(folder.c_str()) == 0 && ::dup2(pipe[1], STDOUT_FILENO) >= 0 &&
            ::dup2(err, STDERR_FILENO) >= 0)
            ::execve(program.c_str(), argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(pipe[1]);
    ::close(err);
    out_ = pipe[0];
    // glibc 2.36 declares pidfd_open without C linkage.
    process_ = pid_ > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)) : -1;
    if (process_ < 0)
        throw std::runtime_error("cannot start " + program);
}

void DaemonProcess::await_ready()
{
    for (;;) {
        const auto at = out_text_.find("listening ");
        const auto end = at == std::string::npos ? at : out_text_.find('\n', at);
        if (end != std::string::npos) {
            ready_line_ = out_text_.substr(at, end - at);
            http_port_ = port_after(ready_line_, "http");
            ws_port_ = port_after(ready_line_, "ws");
            return;
        }
        if (!read_out()) {
            const auto ended = wait();
            throw std::runtime_error("the daemon did not start, status " + std::to_string(ended.status) +
                                     ": " + ended.err);
        }
    }
}

bool DaemonProcess::read_out()
{
    pollfd poll{.fd = out_, .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, Deadline{}.remaining_ms()) <= 0) {
        kill();
        throw std::runtime_error("the daemon is silent; it said '" + out_text_ + "' and " + err());
    }
    std::array<char, 4096> bytes;
    const auto count = ::read(out_, bytes.data(), bytes.size());
    if (count <= 0)
        return false;
    out_text_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
}

std::string DaemonProcess::err() const
{
    return read_file(err_path_);
}

void DaemonProcess::signal(int number) const
{
    if (pid_ > 0)
        ::kill(pid_, number);
}

Ended DaemonProcess::wait()
{
    if (pid_ <= 0)
        throw std::logic_error("the daemon has ended already");
    while (read_out()) // it closes its output no later than at its end
        ;
    pollfd poll{.fd = process_, .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, Deadline{}.remaining_ms()) <= 0) {
        kill();
        throw std::runtime_error("the daemon does not end; it said " + err());
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out_text_, err()};
}

Ended DaemonProcess::terminate()
{
    signal(SIGTERM);
    return wait();
}

Ended DaemonProcess::kill()
{
    signal(SIGKILL);
    int status = 0;
    if (pid_ > 0)
        ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return {128 + SIGKILL, out_text_, err()};
}

Ended DaemonProcess::run(const Arguments& args, const Environment& environment)
{
    const TempDir folder;
    return run(folder, args, environment);
}

Ended DaemonProcess::run(const TempDir& folder, const Arguments& args, const Environment& environment)
{
    return DaemonProcess(Started{}, folder, args, environment).wait();
}

} // namespace coordination::testing
