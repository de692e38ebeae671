#include "cli/setting.hpp"

#include "core/limits.hpp"
#include "net/option_check.hpp"
#include "net/option_ranges.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <ranges>

namespace coordination::cli {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using Outcome = tl::expected<void, std::string>;

constexpr std::array persistence_names{
    std::pair{Persistence::memory_only, std::string_view{"memory-only"}},
    std::pair{Persistence::periodic_snapshot, std::string_view{"periodic-snapshot"}},
    std::pair{Persistence::write_ahead_log, std::string_view{"write-ahead-log"}},
};

constexpr std::array<std::string_view, 7> log_levels{"trace", "debug",    "info", "warn",
                                                     "error", "critical", "off"};

/// How a setting is written and read, whatever its type.
struct Access {
    Outcome (*set)(Config&, std::string_view);
    json::value (*show)(const Config&);
};

template <class T>
auto& member(auto& config, T DaemonOptions::* field)
{
    return config.options.*field;
}

template <class T>
auto& member(auto& config, T Config::* field)
{
    return config.*field;
}

template <auto field>
Access number()
{
    return {[](Config& config, std::string_view text) -> Outcome {
                constexpr auto range = range_of<field>();
                std::int64_t value = 0;
                const char* const begin = text.data();
                const char* const end = begin + text.size();
                const auto [stop, error] = std::from_chars(begin, end, value);
                if (error != std::errc{} || stop != end || value < range.least || value > range.most)
                    return tl::unexpected(
                        fmt::format("'{}' is not a number from {} to {}", text, range.least, range.most));
                auto& slot = member(config, field);
                slot = static_cast<std::remove_reference_t<decltype(slot)>>(value);
                return {};
            },
            [](const Config& config) -> json::value {
                const auto& slot = member(config, field);
                if constexpr (requires { slot.count(); })
                    return slot.count();
                else
                    return slot;
            }};
}

template <auto field>
Access text()
{
    return {[](Config& config, std::string_view text) -> Outcome {
                if (text.empty())
                    return tl::unexpected(std::string("it must not be empty"));
                member(config, field) = text;
                return {};
            },
            [](const Config& config) -> json::value {
                const std::string& value = member(config, field);
                return value.empty() ? json::value() : json::value(value);
            }};
}

Access preset()
{
    return {[](Config& config, std::string_view text) -> Outcome {
                if (!presets().contains(text))
                    return tl::unexpected(fmt::format("no preset '{}': {}", text,
                                                      fmt::join(presets() | std::views::keys, ", ")));
                config.preset = text;
                return {};
            },
            [](const Config& config) -> json::value {
                return config.preset.empty() ? json::value() : json::value(config.preset);
            }};
}

Access persistence()
{
    return {
        [](Config& config, std::string_view text) -> Outcome {
            const auto* known =
                std::ranges::find(persistence_names, text, &std::pair<Persistence, std::string_view>::second);
            if (known == persistence_names.end())
                return tl::unexpected(fmt::format("no persistence '{}': {}", text,
                                                  fmt::join(persistence_names | std::views::values, ", ")));
            config.options.persistence = known->first;
            return {};
        },
        [](const Config& config) -> json::value {
            return json::string(std::ranges::find(persistence_names, config.options.persistence,
                                                  &std::pair<Persistence, std::string_view>::first)
                                    ->second);
        }};
}

Access log_level()
{
    return {[](Config& config, std::string_view text) -> Outcome {
                if (std::ranges::find(log_levels, text) == log_levels.end())
                    return tl::unexpected(
                        fmt::format("no level '{}': {}", text, fmt::join(log_levels, ", ")));
                config.log_level = text;
                return {};
            },
            [](const Config& config) -> json::value { return json::string(config.log_level); }};
}

Access insecure()
{
    return {[](Config& config, std::string_view text) -> Outcome {
                const bool yes = text == "true" || text == "1" || text == "yes" || text == "on";
                const bool no = text == "false" || text == "0" || text == "no" || text == "off";
                if (!yes && !no)
                    return tl::unexpected(fmt::format("'{}' is neither true nor false", text));
                config.options.insecure = yes;
                return {};
            },
            [](const Config& config) -> json::value { return config.options.insecure; }};
}

Access allow_origin()
{
    return {
        [](Config& config, std::string_view text) -> Outcome {
            std::vector<std::string> origins;
            for (const auto part : text | std::views::split(',')) {
                const std::string_view origin{part.begin(), part.end()};
                if (!is_origin(origin))
                    return tl::unexpected(
                        fmt::format("'{}' is not an origin like https://board.example:8443", origin));
                origins.emplace_back(origin);
            }
            config.options.allow_origins = std::move(origins);
            return {};
        },
        [](const Config& config) -> json::value { return json::value_from(config.options.allow_origins); }};
}

Access max_running()
{
    return {[](Config& config, std::string_view text) -> Outcome {
                std::vector<std::string> all;
                for (const auto part : text | std::views::split(',')) {
                    const std::string_view limit{part.begin(), part.end()};
                    if (!running_limit_in(limit))
                        return tl::unexpected(
                            fmt::format("'{}' is not like capability:gpu=2 or field:repo=1", limit));
                    all.emplace_back(limit);
                }
                config.options.max_running = std::move(all);
                return {};
            },
            [](const Config& config) -> json::value { return json::value_from(config.options.max_running); }};
}

using O = DaemonOptions;

Setting setting(std::string_view name, char letter, std::string_view group, std::string_view value_name,
                std::string_view help, Access access)
{
    return {name, letter, group, value_name, help, access.set, access.show};
}

std::vector<Setting> main_settings()
{
    constexpr std::string_view general = "General";
    constexpr std::string_view network = "Network";
    constexpr std::string_view keeping = "Persistence";
    constexpr std::string_view work = "Workers and tasks";
    return {
        setting("preset", 0, general, "NAME", "development, production, highAvailability or testing",
                preset()),
        setting("log-level", 0, general, "LEVEL", "trace, debug, info, warn, error, critical or off",
                log_level()),
        setting("threads", 0, general, "N", "threads that serve", number<&O::threads>()),

        setting("host", 'h', network, "ADDRESS",
                "address to serve on; other than loopback it needs --token-file or --insecure",
                text<&O::host>()),
        setting("port", 'p', network, "PORT", "HTTP port; 0 takes a free one", number<&O::http_port>()),
        setting("ws-port", 'w', network, "PORT", "WebSocket port; 0 takes a free one", number<&O::ws_port>()),
        setting("token-file", 0, network, "FILE",
                "file whose content callers must send as Authorization: Bearer", text<&Config::token_file>()),
        setting("insecure", 0, network, "", "serve other machines without a token", insecure()),
        setting("allow-origin", 0, network, "ORIGIN",
                "web pages that may call, besides our own; repeat or separate by commas", allow_origin()),

        setting("persistence", 0, keeping, "STRATEGY", "memory-only, periodic-snapshot or write-ahead-log",
                persistence()),
        setting("snapshot-path", 0, keeping, "FILE", "where snapshots go", text<&O::snapshot_path>()),
        setting("snapshot-interval", 0, keeping, "MS", "time between snapshots",
                number<&O::snapshot_interval>()),
        setting("wal-path", 0, keeping, "FILE", "where the write-ahead log goes", text<&O::wal_path>()),
        setting("wal-sync-interval", 0, keeping, "MS",
                "time between syncs of the log; 0 syncs before each acknowledgement",
                number<&O::wal_sync_interval>()),

        setting("heartbeat-interval", 0, work, "MS", "how often workers should report",
                number<&O::heartbeat_interval>()),
        setting("heartbeat-timeout", 0, work, "MS", "silence after which a worker loses its tasks",
                number<&O::heartbeat_timeout>()),
        setting("tasks-max", 0, work, "N", "tasks that have not ended; beyond it QUEUE_FULL",
                number<&O::tasks_max>()),
        setting("workers-max", 0, work, "N", "registered workers; beyond it TOO_MANY_WORKERS",
                number<&O::workers_max>()),
        setting("max-tasks-per-worker", 0, work, "N", "tasks one worker may hold",
                number<&O::max_tasks_per_worker>()),
        setting("crash-limit", 0, work, "N", "leases a task may lose before it fails",
                number<&O::crash_limit>()),
        setting("aging", 0, work, "MS", "waiting that raises a task by one priority", number<&O::aging>()),
        setting("cancel-grace", 0, work, "MS", "time for a worker to stop a cancelled task",
                number<&O::cancel_grace>()),
        setting(
            "max-running", 0, work, "LIMIT",
            "how many tasks may run at once: capability:gpu=2 or, for each value, field:repo=1; repeat or "
            "separate by commas",
            max_running()),
        setting("keep-ended-for", 0, work, "MS", "how long ended tasks are kept; 0: as long as there is room",
                number<&O::keep_ended_for>()),
        setting("keep-ended-count", 0, work, "N", "ended tasks kept; 0: any number",
                number<&O::keep_ended_count>()),
        setting("keep-ended-bytes", 0, work, "BYTES", "what ended tasks may take; 0: anything",
                number<&O::keep_ended_bytes>()),
    };
}

std::vector<Setting> message_settings()
{
    constexpr std::string_view bus = "Messages";
    return {
        setting("max-queue-size", 0, bus, "N",
                "messages that somebody has still to get; beyond it QUEUE_FULL",
                number<&O::max_queue_size>()),
        setting("max-queue-bytes", 0, bus, "BYTES", "what they may take; beyond it QUEUE_FULL",
                number<&O::max_queue_bytes>()),
        setting("ack-timeout", 0, bus, "MS",
                "wait for an acknowledgement before a message is sent again; doubles each time",
                number<&O::ack_timeout>()),
        setting("message-ttl", 0, bus, "MS", "how long a message waits for its receivers, unless it says",
                number<&O::message_ttl>()),
        setting("dedup-window", 0, bus, "MS", "how long the id of a delivered message is remembered",
                number<&O::dedup_window>()),
        setting("dedup-count", 0, bus, "N", "ids that are remembered so", number<&O::dedup_count>()),
        setting("dead-letters-max", 0, bus, "N", "dead letters kept; the oldest go",
                number<&O::dead_letters_max>()),
        setting("processing-interval", 0, bus, "MS",
                "how long messages may be gathered before they go out; 0: not at all",
                number<&O::processing_interval>()),
    };
}

std::vector<Setting> limit_settings()
{
    constexpr std::string_view limits = "Limits";
    return {
        setting("connections-max", 0, limits, "N", "open connections", number<&O::connections_max>()),
        setting("body-bytes-max", 0, limits, "BYTES", "body of an HTTP request",
                number<&O::body_bytes_max>()),
        setting("header-bytes-max", 0, limits, "BYTES", "header of an HTTP request",
                number<&O::header_bytes_max>()),
        setting("frame-bytes-max", 0, limits, "BYTES", "WebSocket message", number<&O::frame_bytes_max>()),
        setting(
            "call-bytes-max", 0, limits, "BYTES",
            "WebSocket messages of one connection that await their answers; beyond it nothing more is read",
            number<&O::call_bytes_max>()),
        setting("outbox-bytes-max", 0, limits, "BYTES", "waiting for a slow peer before it is dropped",
                number<&O::outbox_bytes_max>()),
        setting("subscription-bytes-max", 0, limits, "BYTES",
                "changes waiting for one subscriber, the most that its budget may be",
                number<&O::subscription_bytes_max>()),
        setting("watch-bytes-max", 0, limits, "BYTES", "changes kept for subscribers that come back",
                number<&O::watch_bytes_max>()),
        setting("id-bytes-max", 0, limits, "BYTES", "id of a worker or task", number<&O::id_bytes_max>()),
        setting("json-depth-max", 0, limits, "N", "nesting of a JSON value", number<&O::json_depth_max>()),
        setting("handshake-timeout", 0, limits, "MS", "WebSocket handshake", number<&O::handshake_timeout>()),
        setting("request-timeout", 0, limits, "MS", "HTTP request, first byte to last",
                number<&O::request_timeout>()),
        setting("http-idle-timeout", 0, limits, "MS", "silence between HTTP requests",
                number<&O::http_idle_timeout>()),
        setting("ws-idle-timeout", 0, limits, "MS",
                "silence on a WebSocket before it is pinged and then closed", number<&O::ws_idle_timeout>()),
        setting("drain-timeout", 0, limits, "MS", "time for open connections to end at a stop",
                number<&O::drain_timeout>()),
    };
}

std::vector<Setting> all_settings()
{
    auto all = main_settings();
    std::ranges::copy(message_settings(), std::back_inserter(all));
    std::ranges::copy(limit_settings(), std::back_inserter(all));
    return all;
}

} // namespace

std::string Setting::flag() const
{
    return fmt::format("--{}", name);
}

std::string Setting::variable() const
{
    std::string text = fmt::format("COORDINATION_{}", name);
    for (char& c : text) {
        if (c == '-')
            c = '_';
        else if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

std::span<const Setting> settings()
{
    static const std::vector<Setting> all = all_settings();
    return all;
}

} // namespace coordination::cli
