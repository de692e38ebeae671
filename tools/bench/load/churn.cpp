#include "bench/load/client.hpp"
#include "bench/load/http.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"
#include "bench/load/workers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace coordination::bench {

namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound)
{
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

struct Tally {
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t told = 0;
};

/// Completes most of what it is given; the rest it holds until it disconnects, which costs the daemon a
/// lease.
class Fickle final : public WorkerLink {
public:
    Fickle(Loop& loop, const Options& options, std::size_t number, Random& random)
        : WorkerLink(loop, options, number),
          random_(random)
    {
    }

private:
    void message(std::string_view type, std::string_view text) override
    {
        const auto id = text_after(text, R"("id":")");
        if (type == "task_assigned" && below(random_, 16) != 0)
            send_text(fmt::format(R"({{"type":"task_update","taskId":"{}","status":"completed"}})", id));
    }

    Random& random_;
};

class Onlooker final : public WsLink {
public:
    Onlooker(Loop& loop, const Options& options, Random& random, Tally& tally)
        : WsLink(loop, options.ws_port),
          random_(random),
          tally_(tally)
    {
    }

private:
    void opened() override
    {
        constexpr std::array topics{"*", "tasks:*", "workers:update", "assignments:delete"};
        send_text(fmt::format(R"({{"type":"subscribe","topics":["{}"],"values":{}}})",
                              topics[below(random_, topics.size())], below(random_, 2) == 0));
    }
    void text(std::string_view /*payload*/) override { ++tally_.told; }
    void lost(std::string_view why) override { give_up(fmt::format("a subscriber was dropped: {}", why)); }

    Random& random_;
    Tally& tally_;
};

class Asker final : public HttpLink {
public:
    Asker(Loop& loop, const Options& options, Tally& tally) : HttpLink(loop, options.http_port), tally_(tally)
    {
    }

    void assign(std::size_t ordinal, std::size_t payload)
    {
        out() +=
            http_post("/api/tasks/assign", fmt::format(R"({{"taskId":"{}{}","taskData":{{"payload":"{}"}}}})",
                                                       task_prefix(), ordinal, std::string(payload, 'x')));
    }

private:
    void reply(int status, std::string_view body) override
    {
        if (status != 200 && status != 409) // nobody has room: as it should be, at times
            give_up(fmt::format("a task was answered {}", body));
        ++(status == 200 ? tally_.accepted : tally_.refused);
    }

    Tally& tally_;
};

/// The clients, any of which may be replaced by a new one between two turns of the loop, without a word of
/// farewell.
class Crowd {
public:
    explicit Crowd(Loop& loop, const Options& options) : loop_(loop), options_(options)
    {
        for (std::size_t i = 0; i < options.workers; ++i)
            workers_.push_back(std::make_unique<Fickle>(loop_, options_, i, random_));
        for (std::size_t i = 0; i < std::max<std::size_t>(options.subscribers, 1); ++i)
            onlookers_.push_back(std::make_unique<Onlooker>(loop_, options_, random_, tally_));
        for (std::size_t i = 0; i < options.producers; ++i)
            askers_.push_back(std::make_unique<Asker>(loop_, options_, tally_));
    }

    void something_happens()
    {
        constexpr std::size_t burst = 8;
        constexpr std::size_t payload_max = 4096;
        const auto at = [&](const auto& links) { return below(random_, links.size()); };
        switch (below(random_, 10)) {
        case 0: {
            const auto number = at(workers_);
            workers_[number] = std::make_unique<Fickle>(loop_, options_, number, random_);
            return;
        }
        case 1:
            onlookers_[at(onlookers_)] = std::make_unique<Onlooker>(loop_, options_, random_, tally_);
            return;
        case 2:
            askers_[at(askers_)] = std::make_unique<Asker>(loop_, options_, tally_);
            return;
        case 3:
            for (const auto& worker : workers_)
                if (worker->settled())
                    worker->beat();
            return;
        default: {
            auto& asker = *askers_[at(askers_)];
            for (std::size_t i = 0; i < burst; ++i)
                asker.assign(++ordinal_, below(random_, payload_max));
        }
        }
    }
    const Tally& tally() const noexcept { return tally_; }

private:
    Loop& loop_;
    const Options& options_;
    Random random_{1};
    Tally tally_;
    std::size_t ordinal_ = 0;
    std::vector<std::unique_ptr<Fickle>> workers_;
    std::vector<std::unique_ptr<Onlooker>> onlookers_;
    std::vector<std::unique_ptr<Asker>> askers_;
};

/// The largest memory that was seen in each of the ten parts of the run.
class Watch {
public:
    Watch(const Options& options, Nanos begins)
        : options_(options),
          begins_(begins),
          part_(static_cast<Nanos>(options.seconds * 1e9 / parts))
    {
    }

    void look(Nanos time, const Tally& tally)
    {
        if (time < next_)
            return;
        next_ = time + 100'000'000;
        const auto part = static_cast<std::size_t>(std::clamp<Nanos>((time - begins_) / part_, 0, parts - 1));
        rss_[part] = std::max(rss_[part], use_of(options_.pid).rss_bytes);
        if (part == told_)
            return;
        fmt::print(
            stderr,
            "churn: part {} of {}: {:.1f} MB, {} descriptors, {} tasks taken, {} refused, {} notifications\n",
            part, parts, static_cast<double>(rss_[told_]) / 1e6, descriptors_of(options_.pid), tally.accepted,
            tally.refused, tally.told);
        told_ = part;
    }
    double rss_mb(std::size_t part) const noexcept { return static_cast<double>(rss_[part]) / 1e6; }

    static constexpr std::size_t parts = 10;

private:
    const Options& options_;
    Nanos begins_;
    Nanos part_;
    Nanos next_ = 0;
    std::size_t told_ = 0;
    std::array<std::size_t, parts> rss_{};
};

} // namespace

bool churn(const Options& options)
{
    const auto descriptors_before = descriptors_of(options.pid);
    Loop loop;
    Measure measure(options);
    {
        Crowd crowd(loop, options);
        const auto interval = static_cast<Nanos>(1e9 / (options.rate > 0 ? options.rate : 300));
        measure.start();
        auto time = now();
        Watch watch(options, time);
        std::size_t counted = 0;
        for (auto due = time; measure.running(time); time = loop.woke()) {
            // What was missed on a busy machine is left out: made up for at once, it would leave nobody the
            // time to connect.
            for (due = std::max(due, time - 10 * interval); due <= time; due += interval)
                crowd.something_happens();
            loop.turn(std::max<Nanos>(due - now(), 0));
            for (; counted < crowd.tally().accepted; ++counted)
                measure.done(due, loop.woke());
            watch.look(loop.woke(), crowd.tally());
        }
        measure.note("rssMbInPart3", watch.rss_mb(2));
        measure.note("rssMbInPart10", watch.rss_mb(Watch::parts - 1));
    }
    // The connections are closed; the daemon notices within moments.
    const auto deadline = now() + 5'000'000'000;
    while (descriptors_of(options.pid) > descriptors_before && now() < deadline)
        loop.turn(50'000'000);
    measure.note("descriptorsBefore", static_cast<double>(descriptors_before));
    measure.note("descriptorsAfter", static_cast<double>(descriptors_of(options.pid)));
    return measure.report();
}

} // namespace coordination::bench
