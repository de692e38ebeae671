#pragma once

#include "core/bus/post_office.hpp"
#include "core/histogram.hpp"
#include "core/store/state_store.hpp"
#include "net/fan_out.hpp"
#include "net/outbox.hpp"
#include "net/reached_limits.hpp"
#include "persist/journal.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace coordination {

/// Events a second over the last ten, from one counter per second.
class RateWindow {
public:
    using Seconds = std::chrono::seconds;

    void add(Seconds now, std::uint64_t events) noexcept;
    double per_second(Seconds now) const noexcept;

private:
    static constexpr std::int64_t window = 10;
    struct Slot {
        std::int64_t second = -1;
        std::uint64_t events = 0;
    };
    std::array<Slot, window + 1> slots_{}; ///< one more than the window: the second that is still running
    std::int64_t first_ = -1;
};

/// What is counted outside the state.
struct Metrics {
    // Written on the store's strand.
    std::uint64_t operations = 0; ///< calls answered
    Histogram latency_us;         ///< from the call's arrival at the coordinator to its reply
    RateWindow rate;
    std::uint64_t snapshots = 0;
    Timestamp last_snapshot{};
    std::size_t subscribers = 0;
    std::size_t topics = 0;
    WatchCounters watching;

    // Written by any thread.
    std::atomic<std::uint64_t> frames_received = 0; ///< WebSocket messages from clients
    FrameCounters frames;                           ///< WebSocket messages to clients
    std::atomic<std::int64_t> http_connections = 0; ///< open now
    std::atomic<std::int64_t> websockets = 0;       ///< open now
    std::atomic<std::uint64_t> slow_consumers = 0;  ///< cut off because their outbox was full
    ReachedLimits limits;
    std::atomic<std::uint64_t> http_requests = 0;

    Timestamp started_at{};
    const Journal* journal = nullptr; ///< counts for itself
    const PostOffice* bus = nullptr;  ///< likewise
};

/// The body of `GET /api/metrics`. On the store's strand.
std::string metrics_json(const Metrics& metrics, const StateStore& state, Timestamp now);
/// The same for Prometheus, `GET /metrics`.
std::string metrics_prometheus(const Metrics& metrics, const StateStore& state, Timestamp now);

} // namespace coordination
