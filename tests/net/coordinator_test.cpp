#include "net/coordinator.hpp"

#include "net/scripted_journal.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace coordination {
namespace {

class NotedCall final : public Call {
public:
    explicit NotedCall(std::string& answer) : answer_(answer) {}

    void render(const Result& result, const StateStore&, const ReplyContext&) override
    {
        rendered_ = result ? "done" : result.error().message;
    }
    void deliver() override { answer_ = rendered_; }

private:
    std::string& answer_;
    std::string rendered_;
};

/// A coordinator over such a journal, on this thread.
struct Driven {
    /// Registers a worker; what came back so far, "" where nothing did.
    const std::string& register_worker()
    {
        answers.emplace_back();
        coordinator.submit(Command(RegisterWorker{.id = WorkerId("w" + std::to_string(answers.size()))}), 0,
                           std::make_unique<NotedCall>(answers.back()));
        turn();
        return answers.back();
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

    boost::asio::io_context io;
    SystemClock clock;
    Metrics metrics;
    ScriptedJournal journal;
    std::deque<std::string> answers;
    Coordinator coordinator{io.get_executor(), Limits{}, WatchBounds{}, clock, metrics, journal};
};

} // namespace

SCENARIO("writes are taken again after whatever failures of the journal", "[coordinator]")
{
    GIVEN("a call that waits for the journal")
    {
        Driven driven;
        const auto& waiting = driven.register_worker();
        REQUIRE(waiting.empty());

        WHEN("the journal fails")
        {
            driven.journal.fail("no space");
            driven.moved();
            THEN("it is refused, as is what comes next")
            {
                CHECK(waiting == "no space");
                CHECK(driven.register_worker() != "done");
            }
            AND_WHEN("it recovers and fails once more before that was heard of")
            {
                REQUIRE(driven.journal.recover());
                driven.journal.fail("no space again");
                driven.moved();
                THEN("it can recover from that too, and writes are taken")
                {
                    REQUIRE(driven.journal.recover());
                    driven.moved();
                    driven.journal.reach(1);
                    CHECK(driven.register_worker() == "done");
                }
            }
        }
    }
}

} // namespace coordination
