#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"

#include <fmt/format.h>

#include <charconv>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coordination::bench {

namespace {

/// One reply of the Redis protocol, whole and unread. None when more bytes must come first.
std::optional<std::string_view> resp_at(std::string_view bytes)
{
    const auto line = bytes.find("\r\n");
    if (line == std::string_view::npos)
        return std::nullopt;
    std::size_t used = line + 2;
    long number = 0;
    if (bytes[0] == '$' || bytes[0] == '*')
        std::from_chars(bytes.data() + 1, bytes.data() + line, number);
    if (bytes[0] == '$' && number >= 0)
        used += static_cast<std::size_t>(number) + 2;
    for (long i = 0; bytes[0] == '*' && i < number; ++i) {
        const auto element = resp_at(bytes.substr(std::min(used, bytes.size())));
        if (!element)
            return std::nullopt;
        used += element->size();
    }
    return used <= bytes.size() ? std::optional(bytes.substr(0, used)) : std::nullopt;
}

void append_command(std::string& out, auto... words)
{
    out += fmt::format("*{}\r\n", sizeof...(words));
    ((out += fmt::format("${}\r\n{}\r\n", std::string_view(words).size(), std::string_view(words))), ...);
}

class RedisLink : public Link {
public:
    RedisLink(Loop& loop, const Options& options, Measure& measure)
        : Link(loop, connect_to(options.port)),
          measure_(measure)
    {
    }

protected:
    virtual void reply(std::string_view whole) = 0;
    Measure& measure() noexcept { return measure_; }

private:
    std::size_t received(std::string_view bytes) final
    {
        std::size_t used = 0;
        while (const auto whole = resp_at(bytes.substr(used))) {
            used += whole->size();
            if (whole->front() == '-')
                measure_.error(*whole);
            else
                reply(*whole);
        }
        return used;
    }
    void lost(std::string_view why) final { give_up(fmt::format("redis closed a connection: {}", why)); }

    Measure& measure_;
};

constexpr unsigned handed_in = 1;
constexpr unsigned done = 2;

/// Sends one prepared command per task.
class RedisProducer final : public RedisLink {
public:
    RedisProducer(Loop& loop, const Options& options, Slots& slots, Measure& measure, bool stream)
        : RedisLink(loop, options, measure),
          slots_(slots)
    {
        const auto task = std::string(key_bytes, '#') + std::string(options.payload, 'x');
        if (stream)
            append_command(request_, "XADD", "tasks", "MAXLEN", "~", "100000", "*", "d", task);
        else
            append_command(request_, "LPUSH", "tasks", task);
        key_at_ = request_.find('#');
    }
    void hand_in(std::uint32_t slot, std::uint32_t ordinal)
    {
        write_key(request_.data() + key_at_, slot, ordinal);
        out() += request_;
        asked_.push_back(slot);
    }

private:
    void reply(std::string_view /*whole*/) override
    {
        slots_.part_done(asked_.front(), handed_in, loop().woke());
        asked_.pop_front();
    }

    Slots& slots_;
    std::string request_;
    std::size_t key_at_;
    std::deque<std::uint32_t> asked_;
};

/// BRPOPLPUSH into a list of its own, then LREM: the reliable queue of the Redis manual.
class ListWorker final : public RedisLink {
public:
    ListWorker(Loop& loop, const Options& options, std::size_t number, Slots& slots, Measure& measure)
        : RedisLink(loop, options, measure),
          slots_(slots),
          held_(fmt::format("held-{}", number))
    {
        append_command(take_, "BRPOPLPUSH", "tasks", held_, "0");
        out() += take_;
    }

private:
    void reply(std::string_view whole) override
    {
        if (whole.front() == ':') { // what the LREM took out
            if (whole != ":1\r\n")
                measure().error("a task was no longer held");
            return slots_.part_done(key_, done, loop().woke());
        }
        const auto task = whole.substr(whole.find("\r\n") + 2);
        key_ = task.substr(0, key_bytes);
        append_command(out(), "LREM", held_, "1", task.substr(0, task.size() - 2));
        out() += take_;
    }

    Slots& slots_;
    std::string held_;
    std::string take_;
    std::string key_; // one at a time: the next task comes after the reply to the LREM
};

/// XREADGROUP of all that waits, up to a number, then one XACK of all of it.
class StreamWorker final : public RedisLink {
public:
    StreamWorker(Loop& loop, const Options& options, std::size_t number, Slots& slots, Measure& measure)
        : RedisLink(loop, options, measure),
          slots_(slots)
    {
        append_command(take_, "XREADGROUP", "GROUP", "g", fmt::format("c{}", number), "COUNT", "16", "BLOCK",
                       "0", "STREAMS", "tasks", ">");
        out() += take_;
    }

private:
    void reply(std::string_view whole) override
    {
        if (whole.front() == ':') { // how many were acknowledged
            if (whole != fmt::format(":{}\r\n", keys_.size()))
                measure().error("a task was no longer pending");
            for (const auto& key : keys_)
                slots_.part_done(key, done, loop().woke());
            return keys_.clear();
        }
        // An entry is $N, id, *2, $1, d, $M, task, a line each.
        constexpr std::string_view before_task = "\r\n*2\r\n$1\r\nd\r\n$";
        std::vector<std::string_view> words{"XACK", "tasks", "g"};
        for (auto at = whole.find(before_task); at != std::string_view::npos;
             at = whole.find(before_task, at + 1)) {
            const auto id = whole.rfind('\n', at - 1) + 1;
            words.push_back(whole.substr(id, at - id));
            const auto task = whole.find('\n', at + before_task.size()) + 1;
            keys_.emplace_back(whole.substr(task, key_bytes));
        }
        out() += fmt::format("*{}\r\n", words.size());
        for (const auto word : words)
            out() += fmt::format("${}\r\n{}\r\n", word.size(), word);
        out() += take_;
    }

    Slots& slots_;
    std::string take_;
    std::vector<std::string> keys_;
};

/// Empties the server and makes the stream's group, before anything else.
class Preparer final : public RedisLink {
public:
    Preparer(Loop& loop, const Options& options, Measure& measure, bool stream)
        : RedisLink(loop, options, measure)
    {
        append_command(out(), "FLUSHALL");
        if (stream)
            append_command(out(), "XGROUP", "CREATE", "tasks", "g", "$", "MKSTREAM");
        missing_ = stream ? 2 : 1;
    }
    bool settled() const noexcept { return missing_ == 0; }

private:
    void reply(std::string_view /*whole*/) override { --missing_; }

    int missing_;
};

template <class Worker>
bool peer_redis(const Options& options, bool stream)
{
    Loop loop;
    Measure measure(options);
    Slots slots(options, measure, handed_in | done);
    for (Preparer preparer(loop, options, measure, stream); !preparer.settled() && !measure.failed();)
        loop.turn(100'000'000);
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::size_t i = 0; i < options.workers; ++i)
        workers.push_back(std::make_unique<Worker>(loop, options, i, slots, measure));
    std::vector<std::unique_ptr<RedisProducer>> producers;
    for (std::size_t i = 0; i < options.producers; ++i)
        producers.push_back(std::make_unique<RedisProducer>(loop, options, slots, measure, stream));
    run(loop, slots, measure, [&](std::uint32_t slot, std::uint32_t ordinal) {
        producers[slot / options.in_flight]->hand_in(slot, ordinal);
    });
    return measure.report();
}

} // namespace

bool peer_redis_list(const Options& options)
{
    return peer_redis<ListWorker>(options, false);
}

bool peer_redis_stream(const Options& options)
{
    return peer_redis<StreamWorker>(options, true);
}

} // namespace coordination::bench
