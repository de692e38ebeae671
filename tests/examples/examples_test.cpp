#include "support/api.hpp"
#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

using namespace coordination::testing;

namespace {

/// One of the examples, its output in a file; interrupted and awaited in the end.
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
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output().c_str(), O_CREAT | O_WRONLY, 0600);
        const int failed = ::posix_spawnp(&pid_, "env", &files, nullptr, argv.data(), environ);
        ::posix_spawn_file_actions_destroy(&files);
        REQUIRE(failed == 0);
    }
    ~Example()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    void await(const std::string& text) const
    {
        const Deadline deadline;
        while (read_file(output()).find(text) == std::string::npos) {
            if (deadline.passed())
                FAIL(program_ << " does not say \"" << text << "\" but: " << read_file(output()));
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }

    void interrupt() const { ::kill(pid_, SIGINT); }

    int wait()
    {
        const Deadline deadline;
        int status = 0;
        while (::waitpid(pid_, &status, WNOHANG) == 0) {
            if (deadline.passed())
                FAIL(program_ << " does not end");
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
        pid_ = -1;
        return status;
    }

private:
    std::string output() const { return folder_.file("output"); }

    TempDir folder_;
    std::string program_;
    pid_t pid_ = -1;
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
