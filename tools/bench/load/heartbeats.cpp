#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"
#include "bench/load/workers.hpp"

#include <deque>

namespace coordination::bench {

namespace {

/// Beats, and knows which beat each acknowledgement is for by the order of them.
class Beater final : public WorkerLink {
public:
    Beater(Loop& loop, const Options& options, std::size_t number, Slots& slots, Measure& measure)
        : WorkerLink(loop, options, number),
          slots_(slots),
          measure_(measure)
    {
    }

    void beat_for(std::uint32_t slot)
    {
        beat();
        asked_.push_back(slot);
    }

private:
    void message(std::string_view type, std::string_view text) override
    {
        if (type != "heartbeat_ack" || asked_.empty())
            return measure_.error(text);
        slots_.part_done(asked_.front(), 1, loop().woke());
        asked_.pop_front();
    }

    Slots& slots_;
    Measure& measure_;
    std::deque<std::uint32_t> asked_;
};

} // namespace

bool heartbeats(const Options& given)
{
    auto options = given;
    options.producers = options.workers; // each worker has --in-flight beats under way
    Loop loop;
    Measure measure(options);
    Slots slots(options, measure, 1);
    std::vector<std::unique_ptr<Beater>> workers;
    for (std::size_t i = 0; i < options.workers; ++i)
        workers.push_back(std::make_unique<Beater>(loop, options, i, slots, measure));
    settle(loop, workers);
    run(loop, slots, measure,
        [&](std::uint32_t slot, std::uint32_t) { workers[slot / options.in_flight]->beat_for(slot); });
    return measure.report();
}

} // namespace coordination::bench
