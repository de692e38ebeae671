#include "net/client/coordination_client.hpp"
#include "net/client/stoppable_sleep.hpp"
#include "support/api.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>

using namespace coordination;
using namespace coordination::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

/// COORD_CLIENT_STORM=1: the long run.
struct Size {
    bool heavy = std::getenv("COORD_CLIENT_STORM") != nullptr;
    int clients = 100;
    int tasks = heavy ? 8'000 : 1'600;
    int kills = heavy ? 10 : 3;
    milliseconds spread = heavy ? 2'000ms : 1'000ms; ///< reconnect_interval
};

constexpr std::size_t parts = 20; ///< of the spread, in a histogram

/// How many of the clients came when, in parts of the spread.
struct Histogram {
    std::array<int, parts> count{};
    int later = 0;

    void add(milliseconds at, milliseconds spread)
    {
        const auto part =
            static_cast<std::size_t>(at.count()) * parts / static_cast<std::size_t>(spread.count());
        ++(part < parts ? count.at(part) : later);
    }
    void print(const char* title, milliseconds spread) const
    {
        std::printf("  %s, in parts of %lld ms:", title, static_cast<long long>(spread.count()) / 20);
        for (const int clients : count)
            std::printf(" %d", clients);
        std::printf(", later %d\n", later);
    }
};

/// What the clients did, by the word of their own handlers. One thread writes it; the test reads the counters
/// meanwhile, and the rest when that thread has ended.
struct Ledger {
    struct Run {
        int begun = 0;
        int stopped = 0;
        int completed = 0;
        int failed = 0;
        std::int64_t attempt = 0;
    };
    std::map<std::string, Run> runs;
    std::vector<std::string> surprises; ///< that the clients were told of by `error`
    std::vector<Histogram> planned;     ///< first tries after a kill, by the number of the kill
    std::vector<Histogram> back;        ///< registrations after it
    std::atomic<std::size_t> kill = 0;
    std::atomic<Clock::time_point> killed{};
    std::atomic<int> running = 0;
    std::atomic<int> ended = 0;
    std::atomic<int> returned = 0; ///< registered again since the last kill

    void add(std::atomic<int>& counter, int more)
    {
        {
            const std::lock_guard lock(mutex);
            counter += more;
        }
        changed.notify_one();
    }
    /// Looks at the counters again whenever one has changed.
    void await(const std::function<bool()>& condition, std::string_view what)
    {
        std::unique_lock lock(mutex);
        if (!changed.wait_for(lock, 60s, condition))
            throw std::runtime_error("waited too long for " + std::string(what));
    }

private:
    std::mutex mutex;
    std::condition_variable changed;
};

int number_of(std::string_view task)
{
    return std::atoi(task.data() + 1);
}

/// The work: it takes a while, tells of its progress, and fails for every seventh task.
asio::awaitable<TaskEnding> work(CoordinationClient* client, Ledger* ledger, milliseconds takes,
                                 AssignedTask task)
{
    auto& run = ledger->runs[task.id];
    ++run.begun;
    run.attempt = task.attempt;
    ledger->add(ledger->running, 1);
    client->update_progress(task, 50, asio::detached);
    const bool slept = co_await sleep_unless_stopped(takes, task.stop);
    ledger->add(ledger->running, -1);
    ledger->add(ledger->ended, 1);
    const int number = number_of(task.id);
    if (!slept)
        ++run.stopped;
    else
        ++(number % 7 == 0 ? run.failed : run.completed);
    if (number % 7 == 0)
        co_return tl::unexpected(json::value{{"message", "by design"}});
    co_return json::object{{"square", number * number}};
}

class Fleet {
public:
    Fleet(Size size, std::uint16_t http, std::uint16_t ws, unsigned seed) : size_(size), random_(seed)
    {
        ledger.planned.resize(static_cast<std::size_t>(size.kills));
        ledger.back.resize(static_cast<std::size_t>(size.kills));
        for (int i = 0; i < size.clients; ++i)
            clients_.push_back(make(http, ws, "w" + std::to_string(i)));
        orchestrator_ = make(http, ws, "");
        thread_ = std::thread([this] { io_.run(); });
    }
    ~Fleet()
    {
        asio::post(io_, [this] { // where no handler is being called
            clients_.clear();
            orchestrator_.reset();
        });
        work_.reset();
        thread_.join();
    }

    void connect()
    {
        for (auto& calling :
             call_all([](CoordinationClient& client) { return client.connect(asio::use_future); }))
            success(std::move(calling));
    }

    /// Each confirmed, so that none is lost with the daemon.
    void submit()
    {
        std::vector<std::future<Answer>> calls;
        json::array batch;
        for (int i = 0; i < size_.tasks; ++i) {
            batch.push_back(json::object{{"taskId", "t" + std::to_string(i)}});
            if (batch.size() == 100 || i + 1 == size_.tasks)
                calls.push_back(orchestrator_->call(
                    {{"type", "submit_batch"}, {"tasks", std::exchange(batch, {})}}, asio::use_future));
        }
        for (auto& call : calls)
            success(std::move(call));
    }

    void disconnect()
    {
        for (auto& calling :
             call_all([](CoordinationClient& client) { return client.disconnect(asio::use_future); }))
            success(std::move(calling));
    }

    ClientMetrics total() const
    {
        ClientMetrics sum;
        for (const auto& client : clients_) {
            const auto one = client->get_metrics();
            sum.tasks_assigned += one.tasks_assigned;
            sum.tasks_completed += one.tasks_completed;
            sum.tasks_failed += one.tasks_failed;
            sum.leases_lost += one.leases_lost;
            sum.reconnects += one.reconnects;
            sum.calls_waiting += one.calls_waiting;
        }
        return sum;
    }

    Ledger ledger;

private:
    static void success(std::future<Answer> call)
    {
        if (call.wait_for(60s) != std::future_status::ready)
            throw std::runtime_error("a call is not answered");
        const auto answer = call.get();
        if (!answer)
            throw std::runtime_error("refused: " + answer.error().code + " " + answer.error().message);
    }

    std::vector<std::future<Answer>>
    call_all(const std::function<std::future<Answer>(CoordinationClient&)>& call)
    {
        std::vector<std::future<Answer>> calls;
        for (const auto& client : clients_)
            calls.push_back(call(*client));
        calls.push_back(call(*orchestrator_));
        return calls;
    }

    std::unique_ptr<CoordinationClient> make(std::uint16_t http, std::uint16_t ws, const std::string& name)
    {
        CoordinationClientOptions options;
        options.worker_id = name;
        options.ws_url = "ws://127.0.0.1:" + std::to_string(ws);
        options.http_url = "http://127.0.0.1:" + std::to_string(http);
        options.close_timeout = 60s; // a disconnect waits until all is confirmed
        options.reconnect_interval = options.reconnect_interval_max = size_.spread;
        auto client = std::make_unique<CoordinationClient>(io_.get_executor(), options);
        client->serve_tasks([this, self = client.get()](AssignedTask task) {
            std::uniform_int_distribution<int> takes(100, 1'200);
            return work(self, &ledger, milliseconds{takes(random_)}, std::move(task));
        });
        client->on_reconnecting([this](Reconnecting next) {
            if (next.attempt == 1)
                ledger.planned.at(ledger.kill).add(next.wait, size_.spread);
        });
        client->on_reconnected([this] {
            ledger.back.at(ledger.kill)
                .add(std::chrono::duration_cast<milliseconds>(Clock::now() - ledger.killed.load()),
                     size_.spread);
            ledger.add(ledger.returned, 1);
        });
        client->on_error([this](const CallError& error) {
            if (error.kind != CallErrorKind::unreachable && error.kind != CallErrorKind::lost)
                ledger.surprises.push_back(error.code + " " + error.message);
        });
        return client;
    }

    Size size_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::mt19937 random_;
    std::vector<std::unique_ptr<CoordinationClient>> clients_;
    std::unique_ptr<CoordinationClient> orchestrator_;
    std::thread thread_;
};

/// A hundred draws from 20 parts, 5 expected in each: 20 in one of them is one histogram in 10 million.
void check_spread(const Histogram& planned, int clients)
{
    for (const int part : planned.count)
        CHECK(part * 5 <= clients);
    CHECK(planned.later <= clients / 50); // the very end of the interval
}

/// Follows the daemon until none of its tasks is left that has not ended.
void await_every_end(const DaemonProcess& daemon)
{
    const auto ended = [](const Json& task) {
        const auto status = text(task, "status");
        return status == "completed" || status == "failed";
    };
    Watcher watcher(daemon, R"(["tasks:*"])"); // before the state is read, so that it misses none
    std::set<std::string> open;
    const auto state = Api(daemon).state();
    for (const auto& task : field(state, "tasks").as_array())
        if (!ended(task))
            open.insert(text(task, "id"));
    while (!open.empty()) {
        const auto change = watcher.next_change();
        if (ended(field(change, "value")))
            open.erase(text(change, "key"));
    }
}

std::size_t endings_in(const Json& events)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(events.at("events").as_array(), [](const Json& event) {
            const auto what = text(event, "event");
            return what == "completed" || what == "failed" || what == "cancelled" || what == "lost";
        }));
}

} // namespace

SCENARIO("100 clients whose daemon is killed again and again end each task once, and come back spread out",
         "[client][storm]")
{
    const Size size;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::printf("storm: %d clients, %d tasks, %d kills, seed %u\n", size.clients, size.tasks, size.kills,
                seed);
    const TempDir folder;
    const auto http = free_port();
    const auto ws = free_port();
    const Arguments args{"--port",
                         std::to_string(http),
                         "--ws-port",
                         std::to_string(ws),
                         "--persistence",
                         "write-ahead-log",
                         "--wal-sync-interval",
                         "0",
                         "--max-tasks-per-worker",
                         "3",
                         "--heartbeat-interval",
                         "500",
                         "--heartbeat-timeout",
                         "60000"}; // no lease runs out, so that each task has one attempt
    auto daemon = std::make_unique<DaemonProcess>(folder, args);
    Fleet fleet(size, http, ws, seed);
    auto& ledger = fleet.ledger;
    fleet.connect();
    fleet.submit();

    for (int kill = 0; kill < size.kills; ++kill) {
        const int due = size.tasks * (kill + 1) / (size.kills + 2);
        ledger.await([&] { return ledger.ended >= due && ledger.running >= 50; },
                     "tasks to end and others to run");
        ledger.returned = 0;
        ledger.kill = static_cast<std::size_t>(kill);
        const int running = ledger.running;
        ledger.killed = Clock::now();
        daemon->kill();
        daemon = std::make_unique<DaemonProcess>(folder, args);
        const auto down = std::chrono::duration_cast<milliseconds>(Clock::now() - ledger.killed.load());
        ledger.await([&] { return ledger.returned == size.clients + 1; }, "the clients to come back");
        std::printf("kill %d: %d tasks running, %d ended, daemon away for %lld ms\n", kill + 1, running, due,
                    static_cast<long long>(down.count()));
        ledger.planned.at(ledger.kill).print("first tries", size.spread);
        ledger.back.at(ledger.kill).print("back again ", size.spread);
        check_spread(ledger.planned.at(ledger.kill), size.clients);
    }

    await_every_end(*daemon);
    fleet.disconnect();
    const auto total = fleet.total();
    CHECK(total.tasks_completed + total.tasks_failed == static_cast<std::uint64_t>(size.tasks));
    CHECK(total.tasks_assigned == static_cast<std::uint64_t>(size.tasks));
    CHECK(total.leases_lost == 0);
    CHECK(total.reconnects == static_cast<std::uint64_t>(size.kills * size.clients));

    Api api(*daemon);
    REQUIRE(ledger.runs.size() == static_cast<std::size_t>(size.tasks));
    for (const auto& [id, run] : ledger.runs) {
        INFO("task " << id);
        const auto task = api.task(id);
        const bool fails = number_of(id) % 7 == 0;
        CHECK(run.begun == 1);
        CHECK(run.stopped == 0);
        CHECK(run.attempt == 1);
        CHECK(integer(task, "attempt") == 1);
        CHECK(text(task, "status") == (fails ? "failed" : "completed"));
        CHECK((fails ? run.failed : run.completed) == 1);
        if (!fails)
            CHECK(integer(task, "result.square") == number_of(id) * number_of(id));
        CHECK(endings_in(api.get("/api/tasks/" + id + "/events").json()) == 1);
    }
    for (const auto& surprise : ledger.surprises)
        FAIL_CHECK(surprise);
}
