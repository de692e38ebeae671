#pragma once

#include "net/options.hpp"

#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace coordination {

/// The values that a number among the options may have; of a duration, in milliseconds.
struct OptionRange {
    std::string_view name; ///< of the field
    std::int64_t least;
    std::int64_t most;
};

namespace option_ranges {

template <class T>
struct Entry {
    T DaemonOptions::* field;
    OptionRange range;
};

/// The longest duration and the largest limit: far beyond use, and sums of them still do not overflow.
inline constexpr std::int64_t ms_max = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t count_max = std::int64_t{1} << 40;

using O = DaemonOptions;

template <class T>
consteval Entry<T> duration(std::string_view name, T O::* field)
{
    return {field, {name, 1, ms_max}};
}
template <class T>
consteval Entry<T> count(std::string_view name, T O::* field)
{
    return {field, {name, 1, count_max}};
}
template <class T>
consteval Entry<T> number(std::string_view name, T O::* field, std::int64_t least, std::int64_t most)
{
    return {field, {name, least, most}};
}

inline constexpr std::tuple all{
    number("http_port", &O::http_port, 0, 65535),
    number("ws_port", &O::ws_port, 0, 65535),
    number("threads", &O::threads, 1, 256),
    duration("snapshot_interval", &O::snapshot_interval),
    number("wal_sync_interval", &O::wal_sync_interval, 0, ms_max),
    duration("heartbeat_interval", &O::heartbeat_interval),
    duration("heartbeat_timeout", &O::heartbeat_timeout),
    count("tasks_max", &O::tasks_max),
    count("workers_max", &O::workers_max),
    count("max_tasks_per_worker", &O::max_tasks_per_worker),
    count("crash_limit", &O::crash_limit),
    duration("aging", &O::aging),
    duration("cancel_grace", &O::cancel_grace),
    number("keep_ended_for", &O::keep_ended_for, 0, count_max),
    number("keep_ended_count", &O::keep_ended_count, 0, count_max),
    number("keep_ended_bytes", &O::keep_ended_bytes, 0, count_max),
    count("max_queue_size", &O::max_queue_size),
    count("max_queue_bytes", &O::max_queue_bytes),
    duration("ack_timeout", &O::ack_timeout),
    duration("message_ttl", &O::message_ttl),
    duration("dedup_window", &O::dedup_window),
    count("dedup_count", &O::dedup_count),
    count("dead_letters_max", &O::dead_letters_max),
    number("processing_interval", &O::processing_interval, 0, ms_max),
    count("connections_max", &O::connections_max),
    count("body_bytes_max", &O::body_bytes_max),
    count("header_bytes_max", &O::header_bytes_max),
    count("frame_bytes_max", &O::frame_bytes_max),
    count("call_bytes_max", &O::call_bytes_max),
    count("outbox_bytes_max", &O::outbox_bytes_max),
    count("subscription_bytes_max", &O::subscription_bytes_max),
    count("watch_bytes_max", &O::watch_bytes_max),
    count("id_bytes_max", &O::id_bytes_max),
    number("json_depth_max", &O::json_depth_max, 1, 1024),
    duration("handshake_timeout", &O::handshake_timeout),
    duration("request_timeout", &O::request_timeout),
    duration("http_idle_timeout", &O::http_idle_timeout),
    duration("ws_idle_timeout", &O::ws_idle_timeout),
    duration("drain_timeout", &O::drain_timeout),
};

} // namespace option_ranges

/// Does not compile for a number that has no range above.
template <auto field>
consteval OptionRange range_of()
{
    OptionRange found{};
    const auto look = [&found](const auto& entry) {
        if constexpr (std::is_same_v<decltype(entry.field), std::remove_const_t<decltype(field)>>)
            if (entry.field == field)
                found = entry.range;
    };
    std::apply([&look](const auto&... entries) { (look(entries), ...); }, option_ranges::all);
    if (found.name.empty())
        throw "add the field to option_ranges::all";
    return found;
}

} // namespace coordination
