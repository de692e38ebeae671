#include "cli/command_line.hpp"
#include "cli/preflight.hpp"
#include "net/daemon.hpp"

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <thread>
#include <unistd.h>

namespace coordination::cli {

namespace {

namespace asio = boost::asio;

enum ExitStatus { stopped_cleanly = 0, failed = 1, wrong_usage = 2 };

Texts environment()
{
    Texts texts;
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view line{*entry};
        const auto equals = line.find('=');
        if (line.starts_with("COORDINATION_") && equals != std::string_view::npos)
            texts.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return texts;
}

ExitStatus refuse(ExitStatus status, std::string_view line)
{
    fmt::print(stderr, "coordination-daemon: {}\n", line);
    return status;
}

/// At once, even into a pipe: whoever started us waits for it.
void print(std::string_view text)
{
    fmt::print("{}", text);
    std::fflush(stdout);
}

void log_to_stderr(const std::string& level)
{
    spdlog::set_default_logger(spdlog::stderr_color_mt("daemon"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    spdlog::set_level(spdlog::level::from_str(level));
}

/// The usual soft limit of 1024 files is far below what the connections need; the hard one rarely is.
void make_room_for_connections(std::size_t connections_max)
{
    constexpr rlim_t others = 64; // listeners, files, the event queue
    const rlim_t needed = connections_max + others;
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= needed)
        return;
    files.rlim_cur = std::min(needed, files.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < needed)
        spdlog::warn("{} open files are allowed, --connections-max {} needs {}: raise the limit (ulimit -Hn)",
                     files.rlim_cur, connections_max, needed);
}

/// The three outlive the coroutine: run() ends before they do.
asio::awaitable<void> stop_on_signal(asio::signal_set* signals, Daemon* daemon, ExitStatus* status)
{
    const auto [error, number] = co_await signals->async_wait(asio::as_tuple(asio::use_awaitable));
    spdlog::info("{}: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
    const auto saved = co_await daemon->stop();
    if (!saved)
        *status = refuse(failed, "the last state could not be saved: " + saved.error());
}

/// Runs until nothing is left to do, on `threads` threads, this one included.
void run(asio::io_context& io, std::size_t threads)
{
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i)
        others.emplace_back([&io] { io.run(); });
    io.run();
}

int serve(const Config& config)
{
    log_to_stderr(config.log_level);
    std::signal(SIGPIPE, SIG_IGN);

    asio::io_context io{static_cast<int>(config.options.threads)};
    asio::signal_set signals{io, SIGINT, SIGTERM}; // before start(): a signal during it waits for run()
    auto options = config.options;
    options.run_by = options.threads == 1 ? RunBy::one_thread : RunBy::many_threads;
    Daemon daemon{io, options};
    const auto endpoints = daemon.start();
    if (!endpoints)
        return refuse(failed, endpoints.error());

    make_room_for_connections(config.options.connections_max);
    auto status = stopped_cleanly;
    asio::co_spawn(io, stop_on_signal(&signals, &daemon, &status), [](const std::exception_ptr& bug) {
        if (bug)
            std::rethrow_exception(bug);
    });
    print(fmt::format("listening http={} ws={}\n", endpoints->http, endpoints->ws));
    run(io, config.options.threads);
    return status;
}

int main(std::span<const std::string> arguments)
{
    auto asked = read_command_line(arguments, environment());
    if (!asked)
        return refuse(wrong_usage, asked.error().line);
    if (const auto* answer = std::get_if<Answer>(&*asked)) {
        print(answer->text);
        return stopped_cleanly;
    }
    auto& config = std::get<Config>(*asked);
    if (const auto error = preflight(config))
        return refuse(wrong_usage, error->line);
    return serve(config);
}

} // namespace

} // namespace coordination::cli

int main(int argc, char** argv)
try {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    return coordination::cli::main(arguments);
} catch (const std::exception& bug) { // or no memory left: either way the process ends
    std::fprintf(stderr, "coordination-daemon: stopped by an internal error: %s\n", bug.what());
    return coordination::cli::failed;
}
