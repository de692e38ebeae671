#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"

#include <fmt/format.h>

#include <charconv>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace coordination::bench {

namespace {

constexpr unsigned handed_in = 1;
constexpr unsigned done = 2;

class BeanstalkLink : public Link {
public:
    BeanstalkLink(Loop& loop, const Options& options, Slots& slots, Measure& measure)
        : Link(loop, connect_to(options.port)),
          slots_(slots),
          measure_(measure)
    {
    }

protected:
    /// A reply line without its end, and the body that RESERVED has.
    virtual void reply(std::string_view line, std::string_view body) = 0;
    Slots& slots() noexcept { return slots_; }
    Measure& measure() noexcept { return measure_; }

private:
    std::size_t received(std::string_view bytes) final
    {
        for (std::size_t used = 0;;) {
            const auto end = bytes.find("\r\n", used);
            if (end == std::string_view::npos)
                return used;
            const auto line = bytes.substr(used, end - used);
            std::size_t body = 0;
            if (line.starts_with("RESERVED "))
                std::from_chars(line.data() + line.rfind(' ') + 1, line.data() + line.size(), body);
            const auto whole = line.size() + 2 + (body == 0 ? 0 : body + 2);
            if (bytes.size() - used < whole)
                return used;
            reply(line, bytes.substr(end + 2, body));
            used += whole;
        }
    }
    void lost(std::string_view why) final { give_up(fmt::format("beanstalkd closed a connection: {}", why)); }

    Slots& slots_;
    Measure& measure_;
};

class BeanstalkProducer final : public BeanstalkLink {
public:
    BeanstalkProducer(Loop& loop, const Options& options, Slots& slots, Measure& measure)
        : BeanstalkLink(loop, options, slots, measure),
          request_(fmt::format("put 0 0 60 {}\r\n{:#>{}}{}\r\n", key_bytes + options.payload, "", key_bytes,
                               std::string(options.payload, 'x'))),
          key_at_(request_.find('#'))
    {
    }
    void hand_in(std::uint32_t slot, std::uint32_t ordinal)
    {
        write_key(request_.data() + key_at_, slot, ordinal);
        out() += request_;
        asked_.push_back(slot);
    }

private:
    void reply(std::string_view line, std::string_view /*body*/) override
    {
        const auto slot = asked_.front();
        asked_.pop_front();
        if (line.starts_with("INSERTED "))
            slots().part_done(slot, handed_in, loop().woke());
        else
            slots().refused(slot, line);
    }

    std::string request_;
    std::size_t key_at_;
    std::deque<std::uint32_t> asked_;
};

/// reserve, delete, reserve, …: the delete and the next reserve go together.
class BeanstalkWorker final : public BeanstalkLink {
public:
    BeanstalkWorker(Loop& loop, const Options& options, Slots& slots, Measure& measure)
        : BeanstalkLink(loop, options, slots, measure)
    {
        out() += "reserve\r\n";
    }

private:
    void reply(std::string_view line, std::string_view body) override
    {
        if (line.starts_with("RESERVED ")) {
            key_ = body.substr(0, key_bytes);
            const auto id = line.substr(9, line.rfind(' ') - 9);
            out() += fmt::format("delete {}\r\nreserve\r\n", id);
        } else if (line == "DELETED") {
            slots().part_done(key_, done, loop().woke());
        } else {
            measure().error(line);
        }
    }

    std::string key_;
};

} // namespace

bool peer_beanstalkd(const Options& options)
{
    Loop loop;
    Measure measure(options);
    Slots slots(options, measure, handed_in | done);
    std::vector<std::unique_ptr<BeanstalkWorker>> workers;
    for (std::size_t i = 0; i < options.workers; ++i)
        workers.push_back(std::make_unique<BeanstalkWorker>(loop, options, slots, measure));
    std::vector<std::unique_ptr<BeanstalkProducer>> producers;
    for (std::size_t i = 0; i < options.producers; ++i)
        producers.push_back(std::make_unique<BeanstalkProducer>(loop, options, slots, measure));
    run(loop, slots, measure, [&](std::uint32_t slot, std::uint32_t ordinal) {
        producers[slot / options.in_flight]->hand_in(slot, ordinal);
    });
    return measure.report();
}

} // namespace coordination::bench
