#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"
#include "bench/load/workers.hpp"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string>
#include <vector>

namespace coordination::bench {

namespace {

/// Speaks the NATS line protocol. Settled once the server has answered what the constructor asked, by a PONG.
class NatsLink : public Link {
public:
    NatsLink(Loop& loop, const Options& options, Slots& slots, Measure& measure, std::string_view subscribe)
        : Link(loop, connect_to(options.port)),
          slots_(slots),
          measure_(measure)
    {
        out() += fmt::format("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\n{}\r\nPING\r\n", subscribe);
    }
    bool settled() const noexcept { return settled_; }

protected:
    virtual void message(std::string_view payload) = 0;
    Slots& slots() noexcept { return slots_; }

private:
    std::size_t received(std::string_view bytes) final
    {
        for (std::size_t used = 0;;) {
            const auto end = bytes.find("\r\n", used);
            if (end == std::string_view::npos)
                return used;
            const auto line = bytes.substr(used, end - used);
            const bool told = line.starts_with("MSG ");
            std::size_t body = 0;
            if (told)
                std::from_chars(line.data() + line.rfind(' ') + 1, line.data() + line.size(), body);
            const auto whole = line.size() + 2 + (told ? body + 2 : 0);
            if (bytes.size() - used < whole)
                return used;
            used += whole;
            if (told)
                message(bytes.substr(end + 2, body));
            else if (line == "PONG")
                settled_ = true;
            else if (line == "PING")
                out() += "PONG\r\n";
            else if (!line.starts_with("INFO "))
                measure_.error(line);
        }
    }
    void lost(std::string_view why) final
    {
        give_up(fmt::format("nats-server closed a connection: {}", why));
    }

    Slots& slots_;
    Measure& measure_;
    bool settled_ = false;
};

/// Core NATS acknowledges nothing by itself: the worker's answer, sent to the producer's inbox, is the end of
/// a task.
class NatsProducer final : public NatsLink {
public:
    NatsProducer(Loop& loop, const Options& options, std::size_t number, Slots& slots, Measure& measure)
        : NatsLink(loop, options, slots, measure, fmt::format("SUB inbox.{:05} 1", number)),
          request_(fmt::format("PUB tasks {}\r\n{:05}{:#>{}}{}\r\n", 5 + key_bytes + options.payload, number,
                               "", key_bytes, std::string(options.payload, 'x'))),
          key_at_(request_.find('#'))
    {
    }
    void hand_in(std::uint32_t slot, std::uint32_t ordinal)
    {
        write_key(request_.data() + key_at_, slot, ordinal);
        out() += request_;
    }

private:
    void message(std::string_view payload) override { slots().part_done(payload, 1, loop().woke()); }

    std::string request_;
    std::size_t key_at_;
};

class NatsWorker final : public NatsLink {
public:
    NatsWorker(Loop& loop, const Options& options, Slots& slots, Measure& measure)
        : NatsLink(loop, options, slots, measure, "SUB tasks workers 1")
    {
    }

private:
    void message(std::string_view payload) override
    {
        out() += fmt::format("PUB inbox.{} {}\r\n{}\r\n", payload.substr(0, 5), key_bytes,
                             payload.substr(5, key_bytes));
    }
};

} // namespace

bool peer_nats(const Options& options)
{
    Loop loop;
    Measure measure(options);
    Slots slots(options, measure, 1);
    std::vector<std::unique_ptr<NatsWorker>> workers;
    for (std::size_t i = 0; i < options.workers; ++i)
        workers.push_back(std::make_unique<NatsWorker>(loop, options, slots, measure));
    std::vector<std::unique_ptr<NatsProducer>> producers;
    for (std::size_t i = 0; i < options.producers; ++i)
        producers.push_back(std::make_unique<NatsProducer>(loop, options, i, slots, measure));
    settle(loop, workers);
    settle(loop, producers);
    run(loop, slots, measure, [&](std::uint32_t slot, std::uint32_t ordinal) {
        producers[slot / options.in_flight]->hand_in(slot, ordinal);
    });
    return measure.report();
}

} // namespace coordination::bench
