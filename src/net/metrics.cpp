#include "net/metrics.hpp"

#include "core/json/write.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace coordination {
namespace {

constexpr double ms_per_us = 1e-3;

double ms(std::uint64_t us) noexcept
{
    return static_cast<double>(us) * ms_per_us;
}

std::string iso(Timestamp at)
{
    const auto millis = to_millis(at) % 1000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(at)),
                       millis);
}

void append_daemon(std::string& out, const Metrics& metrics, const StateStore& state, Timestamp now)
{
    const auto second =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch());
    json::ObjectWriter writer(out);
    writer.number("operations", metrics.operations)
        .decimal("operationsPerSecond", metrics.rate.per_second(second))
        .decimal("averageLatency", metrics.latency_us.mean() * ms_per_us);
    writer.name("latency");
    json::ObjectWriter(out)
        .decimal("p50", ms(metrics.latency_us.percentile(0.50)))
        .decimal("p95", ms(metrics.latency_us.percentile(0.95)))
        .decimal("p99", ms(metrics.latency_us.percentile(0.99)))
        .decimal("max", ms(metrics.latency_us.max()))
        .close();
    writer.number("activeWorkers", state.online_workers())
        .number("activeTasks", state.assignments().size())
        .number("pendingTasks", state.count(TaskStatus::pending))
        .number("readyTasks", state.schedule().waiting())
        .number("unplaceableTasks", state.schedule().unplaceable())
        .number("totalTasksProcessed", state.totals().processed)
        .number("totalTasksFailed", state.totals().failed)
        .number("startTime", to_millis(metrics.started_at))
        .number("uptime", (now - metrics.started_at).count())
        .close();
}

void append_store(std::string& out, const Metrics& metrics, const StateStore& state)
{
    const auto journal = metrics.journal->counters();
    json::ObjectWriter writer(out);
    writer.number("operations", state.counters().operations)
        .number("transactions", state.counters().transactions)
        .number("rollbacks", state.counters().rollbacks)
        .number("revision", state.revision())
        .number("snapshots", metrics.snapshots)
        .number("walWrites", journal.writes)
        .number("walBytes", journal.bytes)
        .number("walSyncs", journal.syncs)
        .number("walTailsCut", journal.tails_cut);
    if (metrics.last_snapshot == Timestamp{})
        writer.raw("lastSnapshot", "null");
    else
        writer.string("lastSnapshot", iso(metrics.last_snapshot));
    if (journal.last_sync)
        writer.string("lastWalSync", iso(std::chrono::floor<std::chrono::milliseconds>(*journal.last_sync)));
    else
        writer.raw("lastWalSync", "null");
    writer.name("collections");
    json::ObjectWriter(out)
        .number("workers", state.workers().size())
        .number("tasks", state.tasks().size())
        .number("assignments", state.assignments().size())
        .number("workerTasks", state.worker_tasks().size())
        .number("metadata", StateStore::metadata_entries)
        .close();
    writer.close();
}

void append_bus(std::string& out, const Metrics& metrics, const StateStore& state)
{
    const auto& counters = metrics.bus->counters();
    const auto gauges = metrics.bus->gauges();
    const auto queued = std::accumulate(gauges.waiting.begin(), gauges.waiting.end(), std::size_t{0});
    json::ObjectWriter writer(out);
    writer.number("messagesSent", counters.sent)
        .number("messagesReceived", counters.received)
        .number("messagesDelivered", counters.delivered)
        .number("messagesDropped", counters.dropped)
        .number("messagesRetried", counters.retried)
        .decimal("averageLatency", counters.latency_us.mean() * ms_per_us)
        .number("queueDepth", queued)
        .number("subscriberCount", state.message_indexes().subscribers() + gauges.sockets);
    writer.name("queue");
    json::ObjectWriter queue(out);
    queue.number("total", queued);
    for (int priority = 0; priority < priority_count; ++priority)
        queue.number(name_of(static_cast<Priority>(priority)),
                     gauges.waiting[static_cast<std::size_t>(priority)]);
    queue.close();
    writer.number("pendingAcks", gauges.in_flight)
        .number("topics", state.message_indexes().topics() + gauges.socket_topics)
        .number("workers", state.online_workers())
        .number("deadLetters", metrics.bus->letters())
        .number("messagesBuried", counters.buried)
        .close();
}

void append_limits(std::string& out, const ReachedLimits& limits)
{
    json::ObjectWriter writer(out);
    for (const auto& [kind, name] : ReachedLimits::rows)
        writer.number(name, limits[kind]);
    writer.close();
}

} // namespace

void RateWindow::add(Seconds now, std::uint64_t events) noexcept
{
    const auto second = now.count();
    if (first_ < 0)
        first_ = second;
    auto& slot = slots_[static_cast<std::size_t>(second) % slots_.size()];
    if (slot.second != second)
        slot = {second, 0};
    slot.events += events;
}

double RateWindow::per_second(Seconds now) const noexcept
{
    const auto second = now.count();
    if (first_ < 0)
        return 0;
    std::uint64_t events = 0;
    for (const auto& slot : slots_)
        if (slot.second >= 0 && slot.second > second - window)
            events += slot.events;
    const auto seconds = std::clamp<std::int64_t>(second - first_ + 1, 1, window); // younger than the window
    return static_cast<double>(events) / static_cast<double>(seconds);
}

std::string metrics_json(const Metrics& metrics, const StateStore& state, Timestamp now)
{
    std::string out;
    json::ObjectWriter writer(out);
    writer.name("daemon");
    append_daemon(out, metrics, state, now);
    writer.name("stateStore");
    append_store(out, metrics, state);
    writer.name("messageBus");
    append_bus(out, metrics, state);
    writer.name("websockets");
    json::ObjectWriter(out)
        .number("connections", metrics.websockets.load())
        .number("slowConsumersDropped", metrics.slow_consumers.load())
        .number("gaps", metrics.watching.gaps)
        .number("changesMerged", metrics.watching.merged)
        .close();
    writer.name("limits");
    append_limits(out, metrics.limits);
    writer.close();
    return out;
}

} // namespace coordination
