#include "support/api.hpp"
#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

using namespace coordination::testing;

namespace {

/// One of the examples, killed in the end where it has not ended.
class Example {
public:
    Example(const DaemonProcess& daemon, const std::string& name, const Arguments& args)
        : Example(std::to_string(daemon.ws_port()), std::to_string(daemon.http_port()), name, args)
    {
    }
    /// In a folder of its own.
    Example(const std::string& ws_port, const std::string& http_port, const std::string& name,
            const Arguments& args)
        : program_(std::string(std::getenv("COORD_BIN_DIR")) + "/example-" + name)
    {
        std::vector<std::string> words{"env", "--chdir=" + folder_.path().string(),
                                       "COORDINATION_WS_URL=ws://127.0.0.1:" + ws_port,
                                       "COORDINATION_HTTP_URL=http://127.0.0.1:" + http_port, program_};
        words.insert(words.end(), args.begin(), args.end());
        std::vector<char*> argv;
        for (auto& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        std::array<int, 2> pipe{};
        REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
        out_ = pipe[0];
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, pipe[1], STDOUT_FILENO);
        const int failed = ::posix_spawnp(&pid_, "env", &files, nullptr, argv.data(), environ);
        ::posix_spawn_file_actions_destroy(&files);
        ::close(pipe[1]);
        REQUIRE(failed == 0);
    }
    ~Example()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(out_);
    }
    Example(const Example&) = delete;
    Example& operator=(const Example&) = delete;

    void await(const std::string& text)
    {
        while (said_.find(text) == std::string::npos)
            if (!read_more())
                FAIL(program_ << " does not say \"" << text << "\" but: " << said_);
    }

    void interrupt() const { ::kill(pid_, SIGINT); }

    int wait()
    {
        while (read_more()) // it closes its output when it ends
            ;
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return status;
    }

private:
    bool read_more()
    {
        pollfd poll{.fd = out_, .events = POLLIN, .revents = 0};
        if (::poll(&poll, 1, Deadline{}.remaining_ms()) <= 0)
            FAIL(program_ << " neither ends nor says more than: " << said_);
        std::array<char, 4096> bytes;
        const auto count = ::read(out_, bytes.data(), bytes.size());
        if (count > 0)
            said_.append(bytes.data(), static_cast<std::size_t>(count));
        return count > 0;
    }

    TempDir folder_;
    std::string program_;
    pid_t pid_ = -1;
    int out_ = -1;
    std::string said_;
};

} // namespace

SCENARIO("the worker of the examples takes tasks, tells its progress and ends them", "[examples]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Watcher watcher(daemon, R"(["tasks:*"])");
    Example worker(daemon, "worker", {"worker-7"});
    worker.await("Worker started");
    api.assign("t1", "", R"({"title":"quick","seconds":0.1,"capabilities":["development"]})");
    const auto done = watcher.await_task("t1", "completed");
    CHECK(text(done, "assignedTo") == "worker-7");
    CHECK(text(done, "result.status") == "success");
    CHECK(integer(done, "progress") == 100);
    worker.await("Progress: 100%");

    WHEN("it is interrupted within the next")
    {
        api.assign("t2", "", R"({"seconds":1000})");
        watcher.await_task("t2", "in_progress");
        worker.interrupt();
        THEN("it leaves, and the task waits for another")
        {
            CHECK(worker.wait() == 0);
            CHECK(text(api.task("t2"), "status") == "pending");
        }
    }
}

SCENARIO("the monitor of the examples shows how the daemon is doing", "[examples]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.assign("t1");
    Example monitor(daemon, "monitor", {"1"});
    CHECK(monitor.wait() == 0);
    monitor.await("=== Coordination Daemon Status ===");
    monitor.await("Active workers: 1\nActive tasks: 1\nQueue depth: 0\nUptime: ");
}

SCENARIO(
    "the orchestrator of the examples is a daemon that hands out tasks and hears of what becomes of them",
    "[examples]")
{
    const auto http = std::to_string(free_port());
    const auto ws = std::to_string(free_port());
    Example orchestrator(ws, http, "orchestrator", {"50", http, ws});
    orchestrator.await("Daemon started");
    Example worker(ws, http, "worker", {"worker-7"});
    orchestrator.await("Worker registered: worker-7");
    orchestrator.await(" to worker-7");
    orchestrator.await("Task completed: task-");
    worker.interrupt();
    CHECK(worker.wait() == 0);
    orchestrator.interrupt();
    CHECK(orchestrator.wait() == 0);
}
