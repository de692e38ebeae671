// What a subscriber that never reads costs the others: many that follow every change and read, beside one that follows
// every change and does not, while tasks are assigned and completed at a steady rate. Phases without the bad one, with
// one that coalesces, and with one that is cut off at its budget and comes back at once, take turns; each kind sees all
// the changes that were asked for. A change is late by the time from when its call was due to its receipt.
//
//   bench-slow-reader [--changes N] [--rate PER_SECOND] [--subscribers N] [--rounds N] [--daemon BINARY]
//   default 1000000, 4000, 1000, 5, coordination-daemon beside this one

#include "bench/readers.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace coordination;
using namespace coordination::bench;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t changes_per_task = 7; ///< three for each call, and one when it is forgotten
constexpr std::uint64_t warm_up_tasks = 2'000;

struct Options {
    std::uint64_t changes = 1'000'000;
    std::uint64_t rate = 4'000;
    std::size_t subscribers = 1'000;
    int rounds = 5;
    std::string daemon;
};

/// The daemon, as a process of its own. It keeps few ended tasks, so that its memory is that of its connections.
class Daemon {
public:
    explicit Daemon(const std::string& binary)
    {
        std::vector<std::string> words{binary,        "--port",
                                       "0",           "--ws-port",
                                       "0",           "--persistence",
                                       "memory-only", "--max-tasks-per-worker",
                                       "100000",      "--heartbeat-timeout",
                                       "3600000",     "--ws-idle-timeout",
                                       "3600000",     "--request-timeout",
                                       "3600000",     "--keep-ended-count",
                                       "1000",        "--log-level",
                                       "error"};
        std::vector<char*> argv;
        for (auto& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        std::array<int, 2> out{};
        if (::pipe2(out.data(), O_CLOEXEC) != 0)
            give_up("pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            if (::dup2(out[1], STDOUT_FILENO) >= 0)
                ::execv(binary.c_str(), argv.data());
            ::_exit(127);
        }
        ::close(out[1]);
        std::string said;
        std::array<char, 512> bytes{};
        while (said.find('\n') == std::string::npos) {
            const auto got = ::read(out[0], bytes.data(), bytes.size());
            if (got <= 0)
                give_up("the daemon does not start");
            said.append(bytes.data(), static_cast<std::size_t>(got));
        }
        ::close(out[0]);
        http_port_ =
            static_cast<std::uint16_t>(std::atoi(said.c_str() + said.rfind(':', said.find(" ws=")) + 1));
        ws_port_ = static_cast<std::uint16_t>(std::atoi(said.c_str() + said.rfind(':') + 1));
    }
    ~Daemon()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    std::uint16_t http_port() const { return http_port_; }
    std::uint16_t ws_port() const { return ws_port_; }

    double resident_mb() const
    {
        std::ifstream in(fmt::format("/proc/{}/statm", pid_));
        std::uint64_t size = 0;
        std::uint64_t resident = 0;
        in >> size >> resident;
        return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
    }
    double cpu_seconds() const
    {
        std::ifstream in(fmt::format("/proc/{}/stat", pid_));
        std::string word;
        for (int i = 0; i < 13; ++i)
            in >> word;
        std::uint64_t user = 0;
        std::uint64_t system = 0;
        in >> user >> system;
        return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

private:
    pid_t pid_ = -1;
    std::uint16_t http_port_ = 0;
    std::uint16_t ws_port_ = 0;
};

std::string request(std::uint16_t port, std::string_view method, std::string_view target,
                    std::string_view body, std::string_view expected)
{
    const int socket = connect_to(port);
    send_all(socket, fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                 "Content-Length: {}\r\n\r\n{}",
                                 method, target, body.size(), body));
    auto answer = receive_until(socket, expected);
    ::close(socket);
    return answer;
}

/// Assigns and completes tasks over one socket, each call when it is due.
class Maker {
public:
    Maker(std::uint16_t port, Due& due) : socket_(open_websocket(port)), due_(due) {}
    ~Maker() { ::close(socket_); }
    Maker(const Maker&) = delete;
    Maker& operator=(const Maker&) = delete;

    template <class Tick>
    void make(std::uint64_t tasks, double tasks_per_second, const Tick& tick)
    {
        const auto began = Clock::now();
        const auto until = next_ + tasks;
        const std::chrono::duration<double> apart(0.5 / tasks_per_second); // of two calls
        for (std::uint64_t call = 0; next_ < until;) {
            std::string out;
            const auto now = Clock::now();
            for (;; ++call) {
                const auto at =
                    began + std::chrono::duration_cast<Clock::duration>(apart * static_cast<double>(call));
                if (at > now || next_ == until)
                    break;
                append_call(out, call % 2 == 1, at);
            }
            send_all(socket_, out);
            tick();
            std::this_thread::sleep_for(500us);
        }
    }

    /// Until all that was sent has been carried out.
    void finish() const
    {
        std::string out;
        append_frame(out, R"({"type":"get_worker","workerId":"w","requestId":"done"})");
        send_all(socket_, out);
        if (const auto answer = receive_until(socket_, "}"); answer.find("error") != std::string::npos)
            give_up("a call was refused: " + answer);
    }

private:
    void append_call(std::string& out, bool ends, Clock::time_point at)
    {
        due_.at[next_][ends ? 1 : 0].store(nanoseconds(at), std::memory_order_relaxed);
        if (ends)
            append_frame(
                out, fmt::format(R"({{"type":"complete","taskId":"b{:09}","result":{{"status":"success"}}}})",
                                 next_++));
        else
            append_frame(
                out,
                fmt::format(
                    R"({{"type":"assign","taskId":"b{:09}","workerId":"w","taskData":{{"title":"a task"}}}})",
                    next_));
    }

    int socket_;
    Due& due_;
    std::uint64_t next_ = 0;
};

/// What was seen of one kind of phase.
struct Kind {
    std::string_view name;
    std::string_view policy; ///< of the bad reader; empty: there is none
    Histogram us{};
    double seconds = 0;
    double cpu_seconds = 0;
    double resident_mb_max = 0;
    std::uint64_t changes = 0;
    int cut_off = 0;
};

std::uint64_t revision(const Daemon& daemon)
{
    const auto answer = request(daemon.http_port(), "GET", "/api/metrics", "", "\"websockets\":{");
    constexpr std::string_view name = "\"revision\":";
    return std::strtoull(answer.c_str() + answer.find(name) + name.size(), nullptr, 10);
}

void run_phase(const Daemon& daemon, Maker& maker, Readers& readers, Kind& kind, std::uint64_t changes,
               const Options& options)
{
    std::optional<BadReader> bad;
    if (!kind.policy.empty())
        bad.emplace(daemon.ws_port(), kind.policy);
    const auto before = revision(daemon);
    const auto read_before = readers.least();
    readers.into(kind.us);
    const auto cpu = daemon.cpu_seconds();
    const auto began = Clock::now();
    auto looked = began;
    const auto look = [&] {
        if (Clock::now() - looked < 50ms)
            return;
        looked = Clock::now();
        kind.resident_mb_max = std::max(kind.resident_mb_max, daemon.resident_mb());
        if (bad)
            bad->come_back_if_cut_off();
    };
    maker.make(changes / changes_per_task, static_cast<double>(options.rate) / changes_per_task, look);
    maker.finish();
    const auto made = revision(daemon) - before;
    for (const auto until = Clock::now() + 60s; readers.least() - read_before < made; look()) {
        if (Clock::now() > until)
            give_up(fmt::format("a subscriber that reads has {} changes of {}", readers.least() - read_before,
                                made));
        std::this_thread::sleep_for(1ms);
    }
    kind.seconds += std::chrono::duration<double>(Clock::now() - began).count();
    kind.cpu_seconds += daemon.cpu_seconds() - cpu;
    kind.changes += made;
    kind.cut_off += bad ? bad->cut_off() : 0;
}

Options read_options(const std::vector<std::string>& words, const fs::path& self)
{
    Options options;
    options.daemon = (fs::absolute(self).parent_path() / "coordination-daemon").string();
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        const auto number = std::strtoull(words[i + 1].c_str(), nullptr, 10);
        if (words[i] == "--changes")
            options.changes = number;
        else if (words[i] == "--rate")
            options.rate = number;
        else if (words[i] == "--subscribers")
            options.subscribers = number;
        else if (words[i] == "--rounds")
            options.rounds = static_cast<int>(number);
        else if (words[i] == "--daemon")
            options.daemon = fs::absolute(words[i + 1]).string();
        else
            give_up("what is " + words[i] + "?");
    }
    return options;
}

void print(const Kind& kind, const Kind& without, const Options& options)
{
    const auto ms = [](const Kind& one, double part) {
        return static_cast<double>(one.us.percentile(part)) / 1000;
    };
    fmt::print("{:<28} {:>9} {:>9.0f} {:>9.3f} {:>9.3f} {:>9.3f} {:>6.2f} {:>9.3f} {:>9.1f} {:>8}\n",
               kind.name, kind.changes, static_cast<double>(kind.changes) / kind.seconds, ms(kind, 0.5),
               ms(kind, 0.99), static_cast<double>(kind.us.max()) / 1000, ms(kind, 0.99) / ms(without, 0.99),
               kind.cpu_seconds * 1e6 / static_cast<double>(kind.changes * options.subscribers),
               kind.resident_mb_max, kind.cut_off);
}

} // namespace

int main(int argc, char** argv)
{
    const auto options = read_options({argv + 1, argv + argc}, argv[0]);
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const Daemon daemon(options.daemon);
    request(daemon.http_port(), "POST", "/api/workers/register", R"({"workerId":"w"})", "\"success\":true");

    std::array<Kind, 3> kinds{{{"all read", ""},
                               {"and one never, coalescing", "coalesce"},
                               {"and one never, cut off", "disconnect"}}};
    const auto per_phase = options.changes / static_cast<std::uint64_t>(options.rounds);
    Due due{std::vector<std::array<std::atomic<std::int64_t>, 2>>(
        (per_phase / changes_per_task + 1) * kinds.size() * static_cast<std::size_t>(options.rounds) +
        warm_up_tasks)};
    Maker maker(daemon.ws_port(), due);
    Readers readers(daemon.ws_port(), options.subscribers, due);
    Kind warm_up{"warm-up", ""};
    run_phase(daemon, maker, readers, warm_up, warm_up_tasks * changes_per_task, options);
    const auto resident_before = daemon.resident_mb();
    for (int round = 0; round < options.rounds; ++round)
        for (auto& kind : kinds)
            run_phase(daemon, maker, readers, kind, per_phase, options);
    const auto resident_after = daemon.resident_mb();

    fmt::print("{} subscribers that read every change, {} changes a second asked for\n", options.subscribers,
               options.rate);
    fmt::print("{:<28} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6} {:>9} {:>9} {:>8}\n", "", "changes", "a second",
               "p50 ms", "p99 ms", "max ms", "ratio", "us each", "MB max", "cut off");
    for (const auto& kind : kinds)
        print(kind, kinds.front(), options);
    fmt::print("resident: {:.1f} MB before, {:.1f} MB after\n", resident_before, resident_after);
    return 0;
}
