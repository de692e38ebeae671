#include "bench/load/scenarios.hpp"
#include "bench/load/workers.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

namespace coordination::bench {

namespace {

class Holder final : public WorkerLink {
public:
    Holder(Loop& loop, const Options& options, std::size_t number, Measure& measure)
        : WorkerLink(loop, options, number),
          measure_(measure)
    {
    }
    void beat_due(Nanos due)
    {
        beat();
        due_.push_back(due);
    }

private:
    void message(std::string_view type, std::string_view text) override
    {
        if (type != "heartbeat_ack" || due_.empty())
            return measure_.error(text);
        measure_.done(due_.front(), loop().woke());
        due_.pop_front();
    }

    Measure& measure_;
    std::deque<Nanos> due_;
};

} // namespace

bool hold(const Options& options)
{
    constexpr Nanos beat_interval = 5'000'000'000;
    constexpr std::size_t connecting_at_once = 500;
    Loop loop;
    Measure measure(options);
    const auto before = use_of(options.pid).rss_bytes;
    const auto started = now();
    std::vector<std::unique_ptr<Holder>> workers;
    while (workers.size() < options.workers) {
        for (std::size_t i = 0; i < connecting_at_once && workers.size() < options.workers; ++i)
            workers.push_back(std::make_unique<Holder>(loop, options, workers.size(), measure));
        settle(loop, workers);
    }
    const auto count = static_cast<double>(options.workers);
    measure.note("connectsPerSecond", count * 1e9 / static_cast<double>(now() - started));
    measure.note("bytesPerWorker",
                 (static_cast<double>(use_of(options.pid).rss_bytes) - static_cast<double>(before)) / count);

    const auto interval = beat_interval / static_cast<Nanos>(options.workers);
    measure.start();
    auto time = now();
    auto due = time;
    for (std::size_t next = 0; measure.running(time); time = loop.woke()) {
        for (; due <= time; due += interval)
            workers[next++ % workers.size()]->beat_due(due);
        loop.turn(std::max<Nanos>(due - now(), 0));
    }
    measure.note("bytesPerWorkerWithBeats",
                 (static_cast<double>(use_of(options.pid).rss_bytes) - static_cast<double>(before)) / count);
    return measure.report();
}

} // namespace coordination::bench
