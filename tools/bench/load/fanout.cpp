#include "bench/load/client.hpp"
#include "bench/load/http.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"
#include "bench/load/workers.hpp"

#include <fmt/format.h>

#include <deque>

namespace coordination::bench {

namespace {

/// The changes that are on their way to the subscribers, oldest first. One is over when the last of them has
/// it.
class Flight {
public:
    Flight(std::size_t subscribers, Measure& measure) : subscribers_(subscribers), measure_(measure) {}

    std::size_t under_way() const noexcept { return changes_.size(); }
    void depart(Nanos time) { changes_.push_back({.sent = time, .missing = subscribers_}); }
    /// A subscriber was told of its `ordinal`-th change, counted from 0.
    void arrived(std::size_t ordinal, Nanos time)
    {
        if (ordinal < first_ || ordinal - first_ >= changes_.size())
            return measure_.error("a notification of no change of ours");
        auto& change = changes_[ordinal - first_];
        --change.missing;
        measure_.done(change.sent, time);
        for (; !changes_.empty() && changes_.front().missing == 0; ++first_)
            changes_.pop_front();
    }

private:
    struct Change {
        Nanos sent;
        std::size_t missing;
    };
    std::size_t subscribers_;
    Measure& measure_;
    std::size_t first_ = 0;
    std::deque<Change> changes_;
};

class Listener final : public WsLink {
public:
    Listener(Loop& loop, const Options& options, Flight& flight, Measure& measure)
        : WsLink(loop, options.ws_port),
          flight_(flight),
          measure_(measure)
    {
    }
    bool settled() const noexcept { return subscribed_; }

private:
    void opened() override { send_text(R"({"type":"subscribe","topics":["tasks:update"],"requestId":"s"})"); }
    void text(std::string_view payload) override
    {
        const auto type = text_after(payload, R"("type":")");
        if (type == "state_change")
            flight_.arrived(seen_++, loop().woke());
        else if (type == "response")
            subscribed_ = true;
        else
            measure_.error(payload);
    }
    void lost(std::string_view why) override
    {
        give_up(fmt::format("a subscriber lost its connection: {}", why));
    }

    Flight& flight_;
    Measure& measure_;
    bool subscribed_ = false;
    std::size_t seen_ = 0;
};

/// Holds one task, and makes one change of it again and again.
class Changer final : public WorkerLink {
public:
    Changer(Loop& loop, const Options& options, Measure& measure)
        : WorkerLink(loop, options, 0),
          measure_(measure),
          update_(
              fmt::format(R"({{"type":"task_update","taskId":"{}0","status":"in_progress","progress":50}})",
                          task_prefix()))
    {
    }
    void change() { send_text(update_); }
    bool holds_task() const noexcept { return holds_task_; }

private:
    void message(std::string_view type, std::string_view text) override
    {
        if (type == "task_assigned")
            holds_task_ = true;
        else if (type != "response") // the null server answers what asks for no answer
            measure_.error(text);
    }

    Measure& measure_;
    std::string update_;
    bool holds_task_ = false;
};

class Assigner final : public HttpLink {
public:
    explicit Assigner(Loop& loop, const Options& options) : HttpLink(loop, options.http_port)
    {
        out() += http_post(
            "/api/tasks/assign",
            fmt::format(R"({{"taskId":"{}0","taskData":{{"title":"coordbench"}}}})", task_prefix()));
    }

private:
    void reply(int status, std::string_view body) override
    {
        if (status != 200)
            give_up(fmt::format("the task was refused: {}", body));
    }
};

} // namespace

bool fanout(const Options& options)
{
    Loop loop;
    Measure measure(options);
    Flight flight(options.subscribers, measure);
    Changer changer(loop, options, measure);
    settle(loop, std::array{&changer});
    const Assigner assigner(loop, options);
    while (!changer.holds_task())
        loop.turn(100'000'000);
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t i = 0; i < options.subscribers; ++i)
        listeners.push_back(std::make_unique<Listener>(loop, options, flight, measure));
    settle(loop, listeners);

    const auto interval = options.rate > 0 ? static_cast<Nanos>(1e9 / options.rate) : 0;
    measure.start();
    auto time = now();
    for (auto due = time; measure.running(time); time = loop.woke()) {
        while (interval > 0 ? due <= time : flight.under_way() < options.in_flight) {
            flight.depart(interval > 0 ? due : time);
            changer.change();
            due += interval;
        }
        loop.turn(interval > 0 ? 0 : 100'000'000);
    }
    for (const auto deadline = time + 10'000'000'000; flight.under_way() > 0 && loop.woke() < deadline;)
        loop.turn(100'000'000);
    if (flight.under_way() > 0)
        measure.error("changes that not every subscriber was told of");
    return measure.report();
}

} // namespace coordination::bench
