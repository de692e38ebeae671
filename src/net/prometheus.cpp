#include "net/metrics.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <string_view>

namespace coordination {
namespace {

/// Writes one family in the text exposition format, version 0.0.4.
class Exposition {
public:
    template <class Value>
    void gauge(std::string_view name, std::string_view help, Value value)
    {
        family(name, help, "gauge");
        fmt::format_to(std::back_inserter(text_), "coordination_{} {}\n", name, value);
    }
    template <class Value>
    void counter(std::string_view name, std::string_view help, Value value)
    {
        family(name, help, "counter");
        fmt::format_to(std::back_inserter(text_), "coordination_{} {}\n", name, value);
    }
    void tasks(const StateStore& state)
    {
        family("tasks", "Tasks by status.", "gauge");
        for (int status = 0; status < task_status_count; ++status)
            fmt::format_to(std::back_inserter(text_), "coordination_tasks{{status=\"{}\"}} {}\n",
                           name_of(static_cast<TaskStatus>(status)),
                           state.count(static_cast<TaskStatus>(status)));
    }
    void waiting_messages(const std::array<std::size_t, priority_count>& waiting)
    {
        family("messages_waiting", "Deliveries of messages that wait, by priority.", "gauge");
        for (int priority = 0; priority < priority_count; ++priority)
            fmt::format_to(std::back_inserter(text_), "coordination_messages_waiting{{priority=\"{}\"}} {}\n",
                           name_of(static_cast<Priority>(priority)),
                           waiting[static_cast<std::size_t>(priority)]);
    }
    void limits(const ReachedLimits& limits)
    {
        family("limit_reached_total", "How often somebody was refused, cut off or made to wait at a limit.",
               "counter");
        for (const auto& [kind, name] : ReachedLimits::rows)
            fmt::format_to(std::back_inserter(text_), "coordination_limit_reached_total{{limit=\"{}\"}} {}\n",
                           name, limits[kind]);
    }
    void histogram(std::string_view name, std::string_view help, const Histogram& us)
    {
        struct Bound {
            std::uint64_t us;
            std::string_view seconds; ///< as written: a computed one would not be round
        };
        constexpr std::array bounds{Bound{10, "0.00001"},  Bound{25, "0.000025"},  Bound{50, "0.00005"},
                                    Bound{100, "0.0001"},  Bound{250, "0.00025"},  Bound{500, "0.0005"},
                                    Bound{1'000, "0.001"}, Bound{2'500, "0.0025"}, Bound{5'000, "0.005"},
                                    Bound{10'000, "0.01"}, Bound{25'000, "0.025"}, Bound{100'000, "0.1"},
                                    Bound{1'000'000, "1"}};
        family(name, help, "histogram");
        for (const auto& bound : bounds)
            fmt::format_to(std::back_inserter(text_), "coordination_{}_bucket{{le=\"{}\"}} {}\n", name,
                           bound.seconds, us.at_most(bound.us));
        fmt::format_to(std::back_inserter(text_),
                       "coordination_{0}_bucket{{le=\"+Inf\"}} {1}\ncoordination_{0}_sum "
                       "{2}\ncoordination_{0}_count {1}\n",
                       name, us.count(), static_cast<double>(us.sum()) * 1e-6);
    }
    std::string take() { return std::move(text_); }

private:
    void family(std::string_view name, std::string_view help, std::string_view type)
    {
        fmt::format_to(std::back_inserter(text_),
                       "# HELP coordination_{0} {1}\n# TYPE coordination_{0} {2}\n", name, help, type);
    }

    std::string text_;
};

void bus(Exposition& out, const PostOffice& office, const StateStore& state)
{
    const auto& counters = office.counters();
    const auto gauges = office.gauges();
    out.counter("messages_published_total", "Messages that the bus took.", counters.received);
    out.counter("messages_sent_total", "Messages handed to a receiver, each try.", counters.sent);
    out.counter("messages_retried_total", "Of these, not for the first time.", counters.retried);
    out.counter("messages_delivered_total",
                "Messages acknowledged, or sent where that is all that was promised.", counters.delivered);
    out.counter("messages_dropped_total", "Messages lost, as far as was permitted.", counters.dropped);
    out.counter("messages_buried_total", "Messages that became dead letters.", counters.buried);
    out.gauge("dead_letters", "Dead letters that are kept.", office.letters());
    out.waiting_messages(gauges.waiting);
    out.gauge("messages_unacknowledged", "Messages sent and not acknowledged yet.", gauges.in_flight);
    out.gauge("message_subscribers", "Workers and other connections that subscribe to messages.",
              state.message_indexes().subscribers() + gauges.sockets);
    out.histogram("message_delivery_duration_seconds",
                  "From publication to the first try, for each receiver.", counters.latency_us);
}

} // namespace

std::string metrics_prometheus(const Metrics& metrics, const StateStore& state, Timestamp now)
{
    Exposition out;
    out.counter("operations_total", "Calls answered.", metrics.operations);
    out.histogram("operation_duration_seconds", "From a call's arrival to its reply.", metrics.latency_us);
    out.gauge("uptime_seconds", "Time since the start.",
              static_cast<double>((now - metrics.started_at).count()) * 1e-3);
    out.gauge("workers", "Registered workers.", state.workers().size());
    out.gauge("workers_online", "Workers that are not offline.", state.online_workers());
    out.gauge("assignments", "Tasks held by a worker.", state.assignments().size());
    out.tasks(state);
    out.gauge("tasks_ready", "Tasks that wait for nothing but a worker.", state.schedule().waiting());
    out.gauge("tasks_unplaceable", "Tasks that no registered worker could ever take.",
              state.schedule().unplaceable());
    out.counter("tasks_completed_total", "Tasks that ended well.", state.totals().processed);
    out.counter("tasks_failed_total", "Tasks that ended badly.", state.totals().failed);
    out.gauge("revision", "The ordinal of the latest state change.", state.revision());
    out.counter("store_operations_total", "Rows written.", state.counters().operations);
    out.counter("transactions_total", "Transactions committed.", state.counters().transactions);
    out.counter("rollbacks_total", "Transactions rolled back.", state.counters().rollbacks);
    out.counter("snapshots_total", "Snapshots written.", metrics.snapshots);
    out.gauge("last_snapshot_timestamp_seconds",
              "When the last snapshot was written; 0: not since the start.",
              static_cast<double>(to_millis(metrics.last_snapshot)) * 1e-3);
    const auto journal = metrics.journal->counters();
    out.counter("wal_records_total", "Records written to the log.", journal.writes);
    out.counter("wal_bytes_total", "Bytes written to the log.", journal.bytes);
    out.counter("wal_syncs_total", "Syncs of the log.", journal.syncs);
    out.counter("wal_tails_cut_total", "Torn last records cut off at the start.", journal.tails_cut);
    out.gauge("http_connections", "Open HTTP connections.", metrics.http_connections.load());
    out.counter("http_requests_total", "HTTP requests read.", metrics.http_requests.load());
    out.gauge("websocket_connections", "Open WebSockets.", metrics.websockets.load());
    out.counter("connections_refused_total", "Connections beyond the limit.",
                metrics.limits[LimitKind::connections]);
    out.limits(metrics.limits);
    out.counter("frames_received_total", "WebSocket messages from clients.", metrics.frames_received.load());
    out.counter("frames_queued_total", "WebSocket messages put into outboxes.", metrics.frames.queued.load());
    out.counter("frames_delivered_total", "WebSocket messages handed to the socket.",
                metrics.frames.delivered.load());
    out.counter("frames_dropped_total", "WebSocket messages for peers that were cut off.",
                metrics.frames.dropped.load());
    out.counter("slow_consumers_dropped_total", "Peers cut off because their outbox was full.",
                metrics.slow_consumers.load());
    out.counter("subscriber_gaps_total", "Gaps told to subscribers that fell behind and coalesce.",
                metrics.watching.gaps);
    out.counter("subscriber_changes_merged_total", "Changes that newer ones replaced before they were sent.",
                metrics.watching.merged);
    out.gauge("subscribers", "Connections that follow changes.", metrics.subscribers);
    bus(out, *metrics.bus, state);
    return out.take();
}

} // namespace coordination
