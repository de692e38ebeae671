#include "cli/ctl/worker_run/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/client/connect.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
using net_client::nothrow;

namespace {

/// Both ends of a pipe, closed unless they were taken.
struct Pipe {
    Pipe()
    {
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            ends = {-1, -1};
    }
    ~Pipe()
    {
        for (const int end : ends)
            if (end >= 0)
                ::close(end);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    bool ok() const { return ends[0] >= 0; }
    int reader() const { return ends[0]; }
    int writer() const { return ends[1]; }
    int take(std::size_t end) { return std::exchange(ends[end], -1); }

    std::array<int, 2> ends{-1, -1};
};

struct Pipes {
    Pipe in;
    Pipe out;
    Pipe err;
    Pipe refusal; ///< tells why the program could not be started; closed by a start that succeeds

    bool ok() const { return in.ok() && out.ok() && err.ok() && refusal.ok(); }
};

std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// Ours, with those of the command in place of the same names.
std::vector<std::string> environment_of(const ChildCommand& command)
{
    std::vector<std::string> variables;
    for (const auto& [name, value] : command.environment)
        variables.push_back(fmt::format("{}={}", name, value));
    const auto own = variables.size();
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view variable(*entry);
        const auto name = variable.substr(0, variable.find('=') + 1);
        bool replaced = false;
        for (std::size_t i = 0; i < own; ++i)
            replaced = replaced || variables[i].starts_with(name);
        if (!replaced)
            variables.emplace_back(variable);
    }
    return variables;
}

/// In the forked child: no allocation and no lock from here on, since another thread may have held one.
[[noreturn]] void become(const Pipes& pipes, const char* program, char* const* argv, char* const* envp,
                         pid_t parent)
{
    constexpr int refusal_descriptor = 3;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    std::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const bool wired = ::dup2(pipes.in.reader(), STDIN_FILENO) >= 0 &&
                       ::dup2(pipes.out.writer(), STDOUT_FILENO) >= 0 &&
                       ::dup2(pipes.err.writer(), STDERR_FILENO) >= 0;
    int refusal = pipes.refusal.writer();
    if (refusal != refusal_descriptor)
        refusal = ::dup3(refusal, refusal_descriptor, O_CLOEXEC);
    // Asio's sockets are inherited; one that lived on in here would hide from the daemon that we have died.
    ::close_range(refusal_descriptor + 1, ~0U, 0);
    if (wired && ::getppid() == parent)
        ::execve(program, argv, envp);
    const int reason = errno;
    [[maybe_unused]] const auto written = ::write(refusal, &reason, sizeof reason);
    ::_exit(127);
}

} // namespace

ChildProcess::ChildProcess(const asio::any_io_executor& executor, pid_t pid)
    : in(executor),
      out(executor),
      err(executor),
      pid_(pid),
      exited_(executor)
{
}

tl::expected<std::shared_ptr<ChildProcess>, std::string>
ChildProcess::start(const asio::any_io_executor& executor, const ChildCommand& command)
{
    Pipes pipes;
    if (!pipes.ok())
        return tl::unexpected(fmt::format("no pipe: {}", std::strerror(errno)));
    auto arguments = command.command;
    auto variables = environment_of(command);
    const auto argv = pointers_to(arguments);
    const auto envp = pointers_to(variables);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0)
        return tl::unexpected(fmt::format("no new process: {}", std::strerror(errno)));
    if (pid == 0)
        become(pipes, command.program.c_str(), argv.data(), envp.data(), parent);
    ::setpgid(pid, pid); // here as well, so that the group exists before anybody signals it

    ::close(pipes.refusal.take(1));
    int reason = 0;
    if (::read(pipes.refusal.reader(), &reason, sizeof reason) == sizeof reason) {
        ::waitpid(pid, nullptr, 0);
        return tl::unexpected<std::string>(std::strerror(reason));
    }
    std::shared_ptr<ChildProcess> child(new ChildProcess(executor, pid));
    const auto handle =
        static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); // Debian's <sys/pidfd.h> is C only
    if (handle < 0)
        return tl::unexpected(fmt::format("cannot watch the process: {}", std::strerror(errno)));
    child->exited_.assign(handle);
    child->in.assign(pipes.in.take(1));
    child->out.assign(pipes.out.take(0));
    child->err.assign(pipes.err.take(0));
    return child;
}

ChildProcess::~ChildProcess()
{
    if (pid_ == 0)
        return;
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

asio::awaitable<ExitStatus> ChildProcess::wait()
{
    co_await exited_.async_wait(asio::posix::stream_descriptor::wait_read, nothrow);
    co_return reap();
}

ExitStatus ChildProcess::reap()
{
    ::kill(-pid_, SIGKILL); // what it has left behind goes with it, while its number is still its own
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    if (WIFSIGNALED(status))
        return {.signalled = true, .number = WTERMSIG(status)};
    return {.signalled = false, .number = WEXITSTATUS(status)};
}

void ChildProcess::signal(int number)
{
    if (pid_ == 0)
        return;
    ::kill(-pid_, number);
}

tl::expected<std::string, std::string> find_program(const std::string& name)
{
    const auto runnable = [](const std::string& path) {
        struct stat file{};
        return ::stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && ::access(path.c_str(), X_OK) == 0;
    };
    if (name.find('/') != std::string::npos) {
        if (runnable(name))
            return name;
        return tl::unexpected(name + " is no program that can be run");
    }
    const char* variable = std::getenv("PATH");
    std::string_view path = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
    while (!path.empty() && !name.empty()) {
        const auto colon = path.find(':');
        const auto candidate = std::string(path.substr(0, colon)) + "/" + name;
        if (runnable(candidate))
            return candidate;
        path = colon == std::string_view::npos ? std::string_view{} : path.substr(colon + 1);
    }
    return tl::unexpected("there is no program \"" + name + "\" in PATH");
}

} // namespace coordination::ctl
