#include "bench/load/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <variant>

namespace coordination::bench {

namespace {

using Target = std::variant<std::uint16_t Options::*, int Options::*, std::size_t Options::*,
                            double Options::*, bool Options::*, std::string Options::*>;

struct Flag {
    std::string_view name;
    Target target;
    std::string_view help;
};

const std::array flags{
    Flag{"--http-port", &Options::http_port, "of the daemon or the null server"},
    Flag{"--ws-port", &Options::ws_port, "of the daemon or the null server"},
    Flag{"--port", &Options::port, "of a peer"},
    Flag{"--pid", &Options::pid, "of the server: its CPU time and memory are told"},
    Flag{"--cpu", &Options::cpu, "core to stay on"},
    Flag{"--producers", &Options::producers, "connections that hand in tasks"},
    Flag{"--in-flight", &Options::in_flight, "operations under way per producer (or per connection)"},
    Flag{"--workers", &Options::workers, "connected workers"},
    Flag{"--payload", &Options::payload, "bytes of a task"},
    Flag{"--automatic", &Options::automatic, "the daemon picks the worker"},
    Flag{"--rate", &Options::rate, "operations per second; latency counts from the time each was due"},
    Flag{"--warmup", &Options::warmup, "seconds before the measuring begins"},
    Flag{"--seconds", &Options::seconds, "seconds measured"},
    Flag{"--waiting", &Options::waiting, "tasks put in first that nobody can take"},
    Flag{"--subscribers", &Options::subscribers, "sockets that are told of changes"},
    Flag{"--stalled", &Options::stalled, "subscribers that never read"},
    Flag{"--topics", &Options::topics, "of the subscribers"},
    Flag{"--path", &Options::path, "what http-reads gets"},
};

constexpr std::string_view scenarios =
    "  lifecycle        assign over HTTP, work and complete over WebSocket (also with --waiting, "
    "--subscribers, --stalled)\n"
    "  heartbeats       over WebSocket, --in-flight per worker\n"
    "  http-reads       GET --path, --in-flight per producer\n"
    "  fanout           changes to --subscribers, --in-flight changes at once; counts notifications\n"
    "  connect          --workers connect and stay, with a heartbeat each 5 s\n"
    "  churn            connects, disconnects, tasks and subscriptions; tells memory and descriptors as it "
    "goes\n"
    "  peer-redis-list, peer-redis-stream, peer-beanstalkd, peer-nats\n"
    "                   the life cycle in the protocol of the server at --port\n";

[[noreturn]] void usage(std::string_view what)
{
    fmt::print(stderr, "coordbench: {}; without arguments it tells what there is\n", what);
    std::exit(2);
}

[[noreturn]] void explain()
{
    fmt::print("usage: coordbench SCENARIO [OPTIONS]\n\n{}\n", scenarios);
    for (const auto& flag : flags)
        fmt::print("  {:16} {}\n", flag.name, flag.help);
    std::exit(0);
}

template <class T>
bool read(std::string_view text, T& into)
{
    if constexpr (std::is_same_v<T, std::string>) {
        into = text;
        return true;
    } else {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
        return error == std::errc{} && end == text.data() + text.size();
    }
}

/// A switch takes no value.
bool read(std::string_view /*text*/, bool& /*into*/)
{
    return false;
}

} // namespace

Options parse(int argc, char** argv)
{
    Options options;
    if (argc < 2)
        explain();
    options.scenario = argv[1];
    for (int i = 2; i < argc; ++i) {
        const auto* const flag = std::ranges::find(flags, std::string_view(argv[i]), &Flag::name);
        if (flag == flags.end())
            usage(fmt::format("there is no {}", argv[i]));
        if (const auto* member = std::get_if<bool Options::*>(&flag->target)) {
            options.*(*member) = true;
            continue;
        }
        const bool good =
            ++i < argc &&
            std::visit([&](auto member) { return read(argv[i], options.*member); }, flag->target);
        if (!good)
            usage(fmt::format("{} wants a value", flag->name));
    }
    if (options.producers * options.in_flight > 99'999 || options.workers > 99'999)
        usage("at most 99999 tasks in flight, and workers");
    return options;
}

} // namespace coordination::bench
