#include "bench/load/client.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"
#include "bench/load/workers.hpp"

#include <deque>

namespace coordination::bench {

namespace {

class Reader final : public HttpLink {
public:
    Reader(Loop& loop, const Options& options, Slots& slots)
        : HttpLink(loop, options.http_port),
          slots_(slots),
          request_(http_get(options.path))
    {
    }

    void ask(std::uint32_t slot)
    {
        out() += request_;
        asked_.push_back(slot);
    }

private:
    void reply(int status, std::string_view body) override
    {
        if (asked_.empty())
            give_up("a reply to nothing");
        const auto slot = asked_.front();
        asked_.pop_front();
        if (status == 200)
            slots_.part_done(slot, 1, loop().woke());
        else
            slots_.refused(slot, body);
    }

    Slots& slots_;
    std::string request_;
    std::deque<std::uint32_t> asked_;
};

} // namespace

bool http_reads(const Options& options)
{
    Loop loop;
    Measure measure(options);
    Slots slots(options, measure, 1);
    const auto workers = idle_workers(loop, options);
    std::vector<std::unique_ptr<Reader>> readers;
    for (std::size_t i = 0; i < options.producers; ++i)
        readers.push_back(std::make_unique<Reader>(loop, options, slots));
    run(loop, slots, measure,
        [&](std::uint32_t slot, std::uint32_t) { readers[slot / options.in_flight]->ask(slot); });
    return measure.report();
}

} // namespace coordination::bench
