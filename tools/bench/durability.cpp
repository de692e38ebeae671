// What durability costs: commands that are committed and acknowledged in a second, and how long each waits
// for its acknowledgement, with 1, 32 and 256 writers that have one command in flight each, under each
// strategy. Beside it what the disk could do at best: the same bytes for the same number of commands,
// appended and synced, with nothing else.
//
//   bench-durability [--seconds N] [--dir DIR] [--daemon BINARY]     default 3, ., coordination-daemon beside this one

#include "core/histogram.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace coordination;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(std::string_view what)
{
    fmt::print(stderr, "bench-durability: {} ({})\n", what, std::strerror(errno));
    std::exit(1);
}

struct Options {
    std::chrono::seconds time{3};
    fs::path dir = ".";
    std::string daemon;
};

struct Strategy {
    std::string_view name;
    std::vector<std::string> arguments;
};

/// The daemon, as a process of its own, in an empty folder.
class Daemon {
public:
    Daemon(const std::string& binary, const fs::path& folder, const std::vector<std::string>& arguments)
    {
        fs::create_directories(folder);
        std::vector<std::string> words{binary,   "--port",
                                       "0",      "--ws-port",
                                       "0",      "--max-tasks-per-worker",
                                       "1000",   "--heartbeat-timeout",
                                       "600000", "--log-level",
                                       "warn"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> argv;
        for (auto& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        std::array<int, 2> out{};
        if (::pipe2(out.data(), O_CLOEXEC) != 0)
            give_up("pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            if (::chdir(folder.c_str()) == 0 && ::dup2(out[1], STDOUT_FILENO) >= 0)
                ::execv(binary.c_str(), argv.data());
            ::_exit(127);
        }
        ::close(out[1]);
        out_ = out[0];
        await_port();
    }
    ~Daemon()
    {
        ::kill(pid_, SIGKILL); // what it would save at a stop is not measured
        ::waitpid(pid_, nullptr, 0);
        ::close(out_);
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    std::uint16_t port() const { return port_; }

private:
    void await_port()
    {
        std::string said;
        std::array<char, 512> bytes{};
        while (said.find('\n') == std::string::npos) {
            const auto got = ::read(out_, bytes.data(), bytes.size());
            if (got <= 0)
                give_up("the daemon does not start");
            said.append(bytes.data(), static_cast<std::size_t>(got));
        }
        const auto end = said.find(" ws=");
        port_ = static_cast<std::uint16_t>(std::atoi(said.c_str() + said.rfind(':', end) + 1));
    }

    pid_t pid_ = -1;
    int out_ = -1;
    std::uint16_t port_ = 0;
};

/// One HTTP connection with one call in flight: registers its worker, then assigns and completes in turn.
class Writer {
public:
    Writer(std::uint16_t port, int number) : name_("w" + std::to_string(number))
    {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            give_up("connect");
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ~Writer() { ::close(socket_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    int socket() const { return socket_; }
    Clock::time_point sent_at() const { return sent_at_; }

    void send_next()
    {
        if (calls_ == 0)
            post("/api/workers/register", fmt::format(R"({{"workerId":"{}"}})", name_));
        else if (calls_ % 2 == 1)
            post(
                "/api/tasks/assign",
                fmt::format(
                    R"({{"taskId":"{}-{}","workerId":"{}","taskData":{{"title":"a task of the benchmark"}}}})",
                    name_, calls_ / 2, name_));
        else
            post("/api/tasks/complete",
                 fmt::format(R"({{"taskId":"{}-{}","attempt":1,"result":{{"status":"success"}}}})", name_,
                             calls_ / 2 - 1));
        ++calls_;
    }

    /// Reads what has come. True when the answer is whole.
    bool receive()
    {
        std::array<char, 16384> bytes;
        const auto got = ::recv(socket_, bytes.data(), bytes.size(), 0);
        if (got <= 0)
            give_up("the daemon hung up");
        answer_.append(bytes.data(), static_cast<std::size_t>(got));
        const auto head = answer_.find("\r\n\r\n");
        if (head == std::string::npos)
            return false;
        constexpr std::string_view length = "Content-Length: ";
        const auto at = answer_.find(length);
        const auto size = at < head ? std::strtoul(answer_.c_str() + at + length.size(), nullptr, 10) : 0;
        if (answer_.size() < head + 4 + size)
            return false;
        if (!std::string_view(answer_).starts_with("HTTP/1.1 200"))
            give_up("refused: " + answer_);
        answer_.clear();
        return true;
    }

private:
    void post(std::string_view target, const std::string& body)
    {
        const auto request =
            fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        "Content-Length: {}\r\n\r\n{}",
                        target, body.size(), body);
        sent_at_ = Clock::now();
        if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size()))
            give_up("send");
    }

    std::string name_;
    int socket_ = -1;
    std::uint64_t calls_ = 0;
    Clock::time_point sent_at_;
    std::string answer_;
};

struct Measured {
    double per_second = 0;
    Histogram us;
};

/// Each writer sends its next call when the last one is answered, until the time is up.
Measured drive(std::uint16_t port, int count, std::chrono::seconds time)
{
    std::vector<std::unique_ptr<Writer>> writers;
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; ++i) {
        writers.push_back(std::make_unique<Writer>(port, i));
        epoll_event event{.events = EPOLLIN, .data = {.ptr = writers.back().get()}};
        ::epoll_ctl(poll, EPOLL_CTL_ADD, writers.back()->socket(), &event);
        writers.back()->send_next();
    }
    Measured measured;
    const auto from = Clock::now() + 500ms; // until then it warms up
    const auto until = from + time;
    std::array<epoll_event, 256> events;
    for (auto now = Clock::now(); now < until;) {
        const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1000);
        for (int i = 0; i < ready; ++i) {
            auto& writer = *static_cast<Writer*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!writer.receive())
                continue;
            now = Clock::now();
            if (now >= from) {
                const auto took =
                    std::chrono::duration_cast<std::chrono::microseconds>(now - writer.sent_at());
                measured.us.add(static_cast<std::uint64_t>(took.count()));
            }
            writer.send_next();
        }
        if (ready <= 0)
            now = Clock::now();
    }
    ::close(poll);
    measured.per_second = static_cast<double>(measured.us.count()) / static_cast<double>(time.count());
    return measured;
}

/// Appends and syncs, in a file with space set aside as the log has it.
Measured bare_disk(const fs::path& folder, int commands, std::size_t bytes_each, std::chrono::seconds time)
{
    fs::create_directories(folder);
    const int file =
        ::open((folder / "bare").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    const std::string batch(bytes_each * static_cast<std::size_t>(commands), 'x');
    constexpr off_t reserve = 256 << 20;
    static_cast<void>(::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, reserve));
    Measured measured;
    const auto until = Clock::now() + time;
    for (auto began = Clock::now(); began < until;) {
        if (::write(file, batch.data(), batch.size()) != static_cast<ssize_t>(batch.size()) ||
            ::fdatasync(file) != 0)
            give_up("the disk");
        const auto now = Clock::now();
        measured.us.add(static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(now - began).count()));
        began = now;
    }
    ::close(file);
    measured.per_second =
        static_cast<double>(measured.us.count()) * commands / static_cast<double>(time.count());
    return measured;
}

std::uint64_t log_bytes(const fs::path& folder)
{
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().filename().string().starts_with("wal.log."))
            bytes += entry.file_size();
    return bytes;
}

Options read_options(const std::vector<std::string>& words, const fs::path& self)
{
    Options options;
    options.daemon = (fs::absolute(self).parent_path() / "coordination-daemon").string();
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        if (words[i] == "--seconds")
            options.time = std::chrono::seconds(std::atoi(words[i + 1].c_str()));
        else if (words[i] == "--dir")
            options.dir = words[i + 1];
        else if (words[i] == "--daemon")
            options.daemon = fs::absolute(words[i + 1]).string();
        else
            give_up("what is " + words[i] + "?");
    }
    return options;
}

void print(std::string_view name, int writers, const Measured& measured)
{
    const auto ms = [&](double part) { return static_cast<double>(measured.us.percentile(part)) / 1000; };
    fmt::print("{:<20} {:>8} {:>12.0f} {:>10.3f} {:>10.3f}\n", name, writers, measured.per_second, ms(0.5),
               ms(0.99));
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const auto options = read_options({argv + 1, argv + argc}, argv[0]);
    const auto root = fs::absolute(options.dir) / ("bench-durability-" + std::to_string(::getpid()));
    const std::array<Strategy, 3> strategies{{
        {"memory-only", {"--persistence", "memory-only"}},
        {"interval (1 s)",
         {"--persistence", "write-ahead-log", "--wal-path", "wal.log", "--snapshot-path", "snapshot.json",
          "--wal-sync-interval", "1000"}},
        {"always",
         {"--persistence", "write-ahead-log", "--wal-path", "wal.log", "--snapshot-path", "snapshot.json",
          "--wal-sync-interval", "0"}},
    }};
    fmt::print("{:<20} {:>8} {:>12} {:>10} {:>10}\n", "", "writers", "commands/s", "p50 ms", "p99 ms");
    double ratio = 0;
    for (const int writers : {1, 32, 256}) {
        double interval = 0;
        std::size_t bytes_each = 0;
        for (const auto& strategy : strategies) {
            const auto folder = root / fmt::format("{}-{}", strategy.name.front(), writers);
            const Daemon daemon(options.daemon, folder, strategy.arguments);
            const auto measured = drive(daemon.port(), writers, options.time);
            print(strategy.name, writers, measured);
            if (strategy.name.starts_with("interval"))
                interval = measured.per_second;
            ratio = measured.per_second / interval;
            const auto commands = measured.us.count() *
                                  (static_cast<std::uint64_t>(options.time.count()) * 1000 + 500) /
                                  (static_cast<std::uint64_t>(options.time.count()) * 1000);
            bytes_each = log_bytes(folder) / std::max<std::uint64_t>(commands, 1);
        }
        print(fmt::format("disk, {} B each", bytes_each), writers,
              bare_disk(root / "bare", writers, std::max<std::size_t>(bytes_each, 1), options.time));
    }
    fmt::print("always reaches {:.2f} of interval with 256 writers (at least 0.50 is asked for)\n", ratio);
    fs::remove_all(root);
    return 0;
}
