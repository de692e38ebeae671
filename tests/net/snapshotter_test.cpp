#include "net/snapshotter.hpp"

#include "net/manual_clock.hpp"
#include "net/scripted_journal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include <chrono>

namespace coordination {
namespace {

namespace asio = boost::asio;

class UntoldCall final : public Call {
public:
    void render(const Result&, const StateStore&, const ReplyContext&) override {}
    void deliver() override {}
};

} // namespace

SCENARIO("after the last snapshot there is none, whatever the clock says", "[snapshotter]")
{
    asio::io_context io;
    DaemonOptions options;
    options.run_by = RunBy::one_thread;
    ManualClock clock;
    Metrics metrics;
    ScriptedJournal journal;
    Coordinator coordinator{io.get_executor(), Limits{}, WatchBounds{}, clock, metrics, journal};
    Snapshotter snapshotter(io.get_executor(), options, journal, coordinator, clock, metrics);
    const auto result_of = [&](auto coroutine) {
        auto result = asio::co_spawn(io, std::move(coroutine), asio::use_future);
        io.restart();
        io.run();
        return result.get();
    };
    const auto change_and_wait = [&] {
        coordinator.submit(Command(RegisterWorker{.id = WorkerId("w1")}), 0, std::make_unique<UntoldCall>());
        clock.advance(options.snapshot_interval, asio::use_future).get();
    };

    change_and_wait();
    CHECK(result_of(snapshotter.catch_up()) == clock.now() + options.snapshot_interval);
    CHECK(journal.snapshots == 1);
    change_and_wait();
    REQUIRE(result_of(snapshotter.finish()));
    CHECK(journal.snapshots == 2);
    change_and_wait();
    CHECK(result_of(snapshotter.catch_up()) == std::nullopt);
    CHECK(journal.snapshots == 2);
}

} // namespace coordination
