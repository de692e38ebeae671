#include "net/fan_out.hpp"

#include "core/store/topics.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <map>
#include <random>

namespace coordination {
namespace {

namespace json = boost::json;

/// What a follower has to be told of a key in the end: which revision was its last, and whether that deleted it.
using State = std::map<std::string, std::string>;

void apply(State& state, const json::object& change)
{
    const auto text = [&](const char* name) { return std::string(change.at(name).as_string()); };
    state[text("collection") + ":" + text("key")] =
        text("operation") + " " + std::to_string(change.at("revision").to_number<Revision>());
}

/// A connection that reads when it is told to, and checks what it reads.
class Peer {
public:
    explicit Peer(std::size_t bytes_max = 1 << 20)
        : outbox_(std::make_shared<Outbox>(bytes_max, [] {}, counters_))
    {
    }

    const std::shared_ptr<Outbox>& outbox() const { return outbox_; }

    /// False: it was cut off.
    bool read()
    {
        const auto batch = outbox_->take();
        for (const auto& frame : batch.frames) {
            const auto message = json::parse(*frame).as_object();
            if (message.at("type") == "state_change")
                take(message.at("change").as_object());
            else if (message.at("type") == "state_gap")
                open_gap(message);
            else
                others_.push_back(*frame);
        }
        return batch.close != Outbox::Close::overflow;
    }

    State state;
    std::vector<Revision> seen;
    std::size_t gaps = 0;
    std::uint64_t missed = 0;
    const std::vector<std::string>& others() const { return others_; }

private:
    void take(const json::object& change)
    {
        const auto revision = change.at("revision").to_number<Revision>();
        REQUIRE((seen.empty() || revision > seen.back())); // in order, each once
        if (kept_ > 0) {
            --kept_;
            REQUIRE(revision >= from_);
            REQUIRE(revision <= to_);
            const auto key = std::string(change.at("collection").as_string()) + ":" +
                             std::string(change.at("key").as_string());
            REQUIRE(in_gap_.insert(key).second); // the newest of each only
        }
        seen.push_back(revision);
        apply(state, change);
    }

    void open_gap(const json::object& gap)
    {
        REQUIRE(kept_ == 0);
        ++gaps;
        in_gap_.clear();
        from_ = gap.at("from").to_number<Revision>();
        to_ = gap.at("to").to_number<Revision>();
        kept_ = gap.at("kept").to_number<std::uint64_t>();
        missed += gap.at("changes").to_number<std::uint64_t>() - kept_;
        REQUIRE((seen.empty() || from_ > seen.back()));
    }

    FrameCounters counters_;
    std::shared_ptr<Outbox> outbox_;
    std::vector<std::string> others_;
    Revision from_ = 0;
    Revision to_ = 0;
    std::uint64_t kept_ = 0; ///< of a gap, still to come
    std::set<std::string> in_gap_;
};

/// A fan-out whose strand runs when it is told to, and changes to feed it.
class Source {
public:
    explicit Source(WatchBounds bounds)
        : fan_out(bounds, counters, [this](std::function<void()> run) { posted_.push_back(std::move(run)); })
    {
    }

    void change(Collection collection, std::string_view key, Operation operation = Operation::set)
    {
        Change one{.revision = ++revision, .operation = operation, .at = {}, .value = {}};
        if (collection == Collection::workers)
            one.value = Worker{.id = WorkerId(key)};
        else if (collection == Collection::tasks)
            one.value = Task{.id = TaskId(key)};
        else
            one.value = Assignment{.id = TaskId(key)};
        fan_out.publish({&one, 1});
    }

    void run()
    {
        while (!posted_.empty()) {
            auto first = std::move(posted_.front());
            posted_.pop_front();
            first();
        }
    }

    WatchCounters counters;
    FanOut fan_out;
    Revision revision = 100;

private:
    std::deque<std::function<void()>> posted_;
};

Subscription everything(bool coalesce, std::size_t budget)
{
    return {.topics = every_topic, .coalesce = coalesce, .budget = budget};
}

} // namespace

SCENARIO("who coalesces and reads too slowly is told of the gap, then the newest of each key, then all",
         "[fan-out]")
{
    Source source({.remembered = 1 << 20, .waiting = 1 << 20});
    Peer peer;
    source.fan_out.follow(1, peer.outbox(), everything(true, 500), {});
    source.change(Collection::tasks, "a"); // 101, the only one that 500 bytes hold beside 102 and 103
    source.change(Collection::tasks, "b");
    source.change(Collection::tasks, "c");
    for (int i = 0; i < 50; ++i)
        source.change(Collection::tasks, "a", Operation::update);
    source.change(Collection::tasks, "b", Operation::erase);
    const auto last = source.revision;
    CHECK(peer.read());
    const auto whole = peer.seen.size();
    CHECK(whole >= 1);
    CHECK(whole < 5);
    source.run(); // the strand hears that it was taken
    CHECK(peer.read());
    CHECK(peer.gaps == 1);
    CHECK(peer.seen.back() == last);
    CHECK(peer.state.at("tasks:b") == "delete " + std::to_string(last));
    CHECK(peer.state.at("tasks:a") == "update " + std::to_string(last - 1));
    CHECK(peer.missed == last - 100 - peer.seen.size());
    CHECK(source.counters.gaps == 1);
    CHECK(source.counters.merged == peer.missed);
    source.change(Collection::workers, "w");
    CHECK(peer.read());
    CHECK(peer.gaps == 1);
    CHECK(peer.seen.back() == last + 1);
}

SCENARIO("who does not coalesce is cut off at its budget, and nobody is told of a gap", "[fan-out]")
{
    Source source({.remembered = 1 << 20, .waiting = 1'000});
    const auto budget = GENERATE(0, 500);
    Peer peer;
    source.fan_out.follow(1, peer.outbox(), everything(false, static_cast<std::size_t>(budget)), {});
    std::size_t taken = 0;
    while (!peer.outbox()->overflowed()) {
        source.change(Collection::tasks, "a");
        REQUIRE(++taken < 20);
    }
    CHECK(taken > (budget == 0 ? 5 : 2));
    CHECK(taken < (budget == 0 ? 12 : 6));
    CHECK_FALSE(peer.read());
    CHECK(source.counters.gaps == 0);
}

SCENARIO("who coalesces more keys than its budget holds is cut off", "[fan-out]")
{
    Source source({.remembered = 1 << 20, .waiting = 1 << 20});
    Peer peer;
    source.fan_out.follow(1, peer.outbox(), everything(true, 5'000), {});
    int keys = 0;
    while (!peer.outbox()->overflowed()) {
        source.change(Collection::tasks, std::to_string(keys));
        REQUIRE(++keys < 200);
    }
    CHECK(keys > 30); // about as many wait as are held
    CHECK_FALSE(peer.read());
}

SCENARIO("who catches up more slowly than changes are forgotten coalesces too, or is told what is lost",
         "[fan-out]")
{
    Source source({.remembered = 100'000, .waiting = 1 << 20});
    for (int i = 0; i < 50; ++i)
        source.change(Collection::tasks, std::to_string(i % 10));
    const bool coalesces = GENERATE(true, false);
    Peer peer;
    source.fan_out.follow(1, peer.outbox(), everything(coalesces, 5'000), Revision{100});
    source.run();
    for (int i = 0; i < 2'000; ++i)
        source.change(Collection::tasks, std::to_string(i % 10));
    REQUIRE_FALSE(source.fan_out.can_replay(100 + 50, source.revision));
    for (int i = 0; i < 5; ++i) {
        CHECK(peer.read());
        source.run();
    }
    if (coalesces) {
        CHECK(peer.gaps == 1);
        CHECK(peer.seen.back() == source.revision);
        CHECK(peer.missed == source.revision - 100 - peer.seen.size());
        CHECK(peer.others().empty());
    } else {
        CHECK(peer.gaps == 0);
        REQUIRE(peer.others().size() == 1);
        CHECK(peer.others().front().find("REVISION_COMPACTED") != std::string::npos);
        CHECK(source.fan_out.followers() == 0);
    }
}

SCENARIO("who asks again and again and never reads does not pile up what it asked for", "[fan-out]")
{
    Source source({.remembered = 1 << 20, .waiting = 1 << 20});
    for (int i = 0; i < 200; ++i)
        source.change(Collection::tasks, std::to_string(i));
    Peer peer;
    for (int i = 0; i < 100; ++i) {
        source.fan_out.follow(1, peer.outbox(), everything(false, 1'000'000), Revision{100});
        source.run();
    }
    CHECK(peer.outbox()->take().frames.size() == 200);
}

SCENARIO("whatever is changed and whenever it reads, a follower ends in the state that is", "[fan-out]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    std::size_t gaps = 0;
    for (int round = 0; round < 100; ++round) {
        Source source({.remembered = 20'000 + random() % 200'000, .waiting = 1 << 20});
        State state;
        std::vector<std::pair<bool, std::unique_ptr<Peer>>> peers; // coalesces
        const auto lazy = random() % 100;
        const auto steps = 100 + random() % 1'000;
        const auto keys = 1 + random() % 30;
        SessionId sessions = 0;
        for (unsigned step = 0; step < steps; ++step) {
            if (chance(2) && peers.size() < 6) {
                const bool coalesces = chance(70);
                peers.emplace_back(coalesces, std::make_unique<Peer>());
                const auto budget = coalesces ? 20'000 + random() % 20'000 : 0;
                const bool whole = static_cast<bool>(source.fan_out.can_replay(100, source.revision));
                if (!whole) // it reads the state, and goes on from there
                    peers.back().second->state = state;
                source.fan_out.follow(++sessions, peers.back().second->outbox(),
                                      everything(coalesces, budget), whole ? Revision{100} : source.revision);
            }
            const auto collection = static_cast<Collection>(random() % collection_count);
            const auto key = std::to_string(random() % keys);
            const auto operation = static_cast<Operation>(random() % operation_count);
            source.change(collection, key, operation);
            apply(state, {{"collection", name_of(collection)},
                          {"key", key},
                          {"operation", name_of(operation)},
                          {"revision", source.revision}});
            for (auto& [coalesces, peer] : peers)
                if (!chance(coalesces ? static_cast<unsigned>(lazy) : 10))
                    REQUIRE(peer->read());
            if (chance(30))
                source.run();
        }
        for (auto& [coalesces, peer] : peers) {
            for (int i = 0; i < 50; ++i) { // portions of a budget
                REQUIRE(peer->read());
                source.run();
            }
            gaps += peer->gaps;
            if (!peer->others().empty())
                continue; // it was told that it has missed something
            CHECK(peer->state == state);
            if (!coalesces || peer->gaps == 0)
                CHECK(peer->missed == 0);
        }
    }
    CHECK(gaps > 0);
}

} // namespace coordination
