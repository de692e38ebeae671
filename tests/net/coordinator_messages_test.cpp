#include "net/coordinator.hpp"

#include "net/scripted_journal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace coordination {
namespace {

using namespace std::chrono_literals;

class AnsweredCall final : public Call {
public:
    explicit AnsweredCall(std::string& answer) : answer_(answer) {}

    void render(const Result& result, const StateStore&, const ReplyContext&) override
    {
        rendered_ = result ? "done" : result.error().message;
    }
    void deliver() override { answer_ = rendered_; }

private:
    std::string& answer_;
    std::string rendered_;
};

struct HandClock final : Clock {
    Timestamp now() const noexcept override { return time; }
    Timestamp time{1'764'000'000'000ms};
};

/// A coordinator over a journal that reaches what it is told to, with a clock that is moved, on this thread.
struct Bus {
    Bus()
    {
        coordinator.go_by_hand();
        boost::asio::co_spawn(coordinator.strand(), coordinator.deliver_messages(), boost::asio::detached);
    }

    SessionId connect()
    {
        outboxes.push_back(std::make_shared<Outbox>(std::size_t{1} << 24U, [] {}, frames));
        return coordinator.attach(outboxes.back());
    }
    /// What came back so far, "" where nothing did.
    const std::string& call(Command command, SessionId session = 0)
    {
        answers.emplace_back();
        coordinator.submit(std::move(command), session, std::make_unique<AnsweredCall>(answers.back()));
        return answers.back();
    }
    const std::string& publish(std::string_view payload, Guarantee guarantee,
                               std::chrono::milliseconds ttl = 1h)
    {
        return call(PublishMessage{.topic = Text("a"),
                                   .payload = Text(payload),
                                   .recipient = WorkerId(std::string_view("w1")),
                                   .guarantee = guarantee,
                                   .ttl = ttl});
    }
    void register_worker(SessionId session)
    {
        call(RegisterWorker{.id = WorkerId(std::string_view("w1"))}, session);
        turn();
        reach_all();
    }
    void reach_all()
    {
        journal.reach(coordinator.engine().store().revision());
        moved();
    }
    void moved()
    {
        coordinator.journal_moved();
        turn();
    }
    void turn()
    {
        io.restart();
        io.poll();
    }
    void pass(std::chrono::milliseconds time)
    {
        clock.time += time;
        boost::asio::co_spawn(io, coordinator.catch_up(), boost::asio::detached);
        turn();
    }
    /// The messages that have been sent over a connection since the last time.
    std::vector<std::string> messages(std::size_t outbox)
    {
        std::vector<std::string> messages;
        for (const auto& frame : outboxes.at(outbox)->take().frames)
            if (frame->find(R"("type":"message")") != std::string::npos)
                messages.push_back(*frame);
        return messages;
    }

    boost::asio::io_context io;
    HandClock clock;
    Metrics metrics;
    ScriptedJournal journal;
    FrameCounters frames;
    std::deque<std::string> answers;
    std::deque<std::shared_ptr<Outbox>> outboxes;
    Coordinator coordinator{io.get_executor(), Limits{}, WatchBounds{}, clock, metrics, journal};
};

} // namespace

TEST_CASE("while nothing can be written, what may be lost is delivered and expires, and no try is counted",
          "[coordinator][messages]")
{
    Bus bus;
    const auto session = bus.connect();
    bus.register_worker(session);
    const auto& kept = bus.publish("1", Guarantee::at_least_once);
    bus.turn();
    bus.reach_all();
    REQUIRE(kept == "done");
    CHECK(bus.messages(0).size() == 1);

    bus.journal.fail("no space");
    bus.moved();
    CHECK(bus.publish("2", Guarantee::at_least_once).empty());
    const auto& lossy = bus.publish("3", Guarantee::at_most_once);
    bus.turn();
    CHECK(lossy == "done");
    CHECK(bus.messages(0).size() == 1);
    bus.coordinator.detach(session);
    CHECK(bus.publish("4", Guarantee::at_most_once, 1s).empty());
    bus.turn();
    bus.pass(1h - 1ms); // far beyond the time for an acknowledgement, which nobody could have sent
    CHECK(bus.metrics.bus->counters().dropped == 1);
    CHECK(bus.metrics.bus->counters().buried == 0);

    REQUIRE(bus.journal.recover());
    bus.moved();
    bus.reach_all();
    bus.register_worker(bus.connect());
    const auto again = bus.messages(1);
    REQUIRE(again.size() == 1);
    CHECK(again[0].find(R"("attempt":2)") != std::string::npos);
}

TEST_CASE("whether a worker wants dead letters is what it said last of what lasted",
          "[coordinator][messages]")
{
    Bus bus;
    const auto session = bus.connect();
    bus.register_worker(session);
    const auto& wanted = bus.call(SubscribeMessages{{std::string(dead_letter_topic)}}, session);
    bus.turn();
    const auto reached = bus.coordinator.engine().store().revision();
    const auto& not_wanted = bus.call(UnsubscribeMessages{}, session);
    bus.turn();
    bus.journal.reach(reached); // the first lasts, the second does not
    bus.moved();
    CHECK(wanted == "done");
    bus.journal.fail("no space");
    bus.moved();
    CHECK(not_wanted == "no space");
    REQUIRE(bus.journal.recover());
    bus.moved();

    bus.publish("1", Guarantee::at_least_once, 1ms);
    bus.turn();
    bus.reach_all();
    static_cast<void>(bus.messages(0));
    bus.pass(1ms);
    bus.reach_all();
    const auto letters = bus.messages(0);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].find(R"("topic":"dead-letter")") != std::string::npos);
}

TEST_CASE("a socket has no more than 256 topics, however many calls are under way", "[coordinator][messages]")
{
    Bus bus;
    const auto session = bus.connect();
    bus.register_worker(0); // waits for the journal no more
    const auto subscribe = [&](int from, int count) {
        MessageTopics topics;
        for (int i = from; i < from + count; ++i)
            topics.push_back("t" + std::to_string(i));
        std::ranges::sort(topics);
        bus.call(SubscribeMessages{std::move(topics)}, session);
    };
    const auto done = [&] {
        bus.turn();
        const auto count = std::ranges::count(bus.answers, "done");
        bus.answers.clear();
        return count;
    };
    bus.answers.clear();
    for (int i = 0; i < 10; ++i)
        subscribe(100 * i, 100); // all in one turn
    CHECK(done() == 2);
    subscribe(0, 200); // these it has
    subscribe(200, 56);
    subscribe(999, 1);
    CHECK(done() == 2);
    bus.call(UnsubscribeMessages{}, session);
    subscribe(0, 256);
    CHECK(done() == 2);

    bus.call(RegisterWorker{.id = WorkerId(std::string_view("w2"))}); // the next waits behind it
    bus.call(UnsubscribeMessages{}, session);
    bus.turn();
    bus.journal.fail("no space");
    bus.moved();
    bus.answers.clear();
    subscribe(999, 1);
    CHECK(done() == 0); // as the topics were not given up after all
    CHECK(bus.metrics.bus->gauges().socket_topics == 256);
}

} // namespace coordination
