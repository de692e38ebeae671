#include "embed/embedded.hpp"

#include "support/http_peer.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <thread>

using namespace coordination;
using namespace coordination::testing;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::uint16_t port_of(const std::string& endpoint)
{
    return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

DaemonOptions in_memory()
{
    DaemonOptions options;
    options.persistence = Persistence::memory_only;
    options.http_port = options.ws_port = 0;
    return options;
}

/// Somebody else's port.
struct TakenPort {
    asio::io_context io;
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    std::uint16_t port = acceptor.local_endpoint().port();
};

} // namespace

SCENARIO("daemons in one process do not know of each other", "[embed]")
{
    auto options = in_memory();
    options.threads = 2;
    Daemon one(options);
    Daemon other(in_memory());
    const auto at_one = one.start();
    const auto at_other = other.start();
    REQUIRE(at_one);
    REQUIRE(at_other);
    must(one, request::RegisterWorker{.worker_id = "w1"});

    HttpPeer to_one(port_of(at_one->http));
    HttpPeer to_other(port_of(at_other->http));
    CHECK(to_one.get("/api/workers/w1").status == 200);
    CHECK(to_other.get("/api/workers/w1").status == 404);
    REQUIRE(stop(one));
    CHECK(to_other.get("/health").status == 200);
}

SCENARIO("a daemon without ports takes none", "[embed]")
{
    const TakenPort taken;
    auto options = quiet();
    options.http_port = options.ws_port = taken.port;
    Daemon daemon(options);
    const auto endpoints = daemon.start();
    REQUIRE(endpoints);
    CHECK(endpoints->http.empty());
    CHECK(endpoints->ws.empty());
    must(daemon, request::RegisterWorker{.worker_id = "w1"});
    CHECK(assign(daemon, "t1"));
}

SCENARIO("on the caller's io_context run() lasts until the stop, and no longer", "[embed]")
{
    asio::io_context io;
    auto options = quiet();
    options.clock = std::make_shared<ManualClock>(); // so that no timer keeps it running
    Daemon daemon(io, options);
    must_start(daemon);
    std::string assigned_to;
    bool saved = false;
    daemon.call(request::RegisterWorker{.worker_id = "w1"}, [&](const auto&) {
        daemon.assign_task("t1", {}, "{}", [&](const tl::expected<Done, Error>& assigned) {
            assigned_to = assigned ? assigned->worker_id : assigned.error().message;
            daemon.stop([&](const tl::expected<void, std::string>& stopped) { saved = stopped.has_value(); });
        });
    });
    io.run();
    CHECK(assigned_to == "w1");
    CHECK(saved);
}

SCENARIO("two daemons share the caller's io_context", "[embed]")
{
    asio::io_context io;
    Daemon one(io, in_memory());
    Daemon other(io, in_memory());
    const auto at_one = one.start();
    const auto at_other = other.start();
    REQUIRE(at_one);
    REQUIRE(at_other);
    std::jthread runner([&] { io.run(); });
    CHECK(HttpPeer(port_of(at_one->http)).get("/health").status == 200);
    CHECK(HttpPeer(port_of(at_other->http)).get("/health").status == 200);
    CHECK(stop(one));
    CHECK(stop(other));
}

SCENARIO("stopping twice, at once or later, tells both how it went", "[embed]")
{
    Daemon daemon(in_memory());
    must_start(daemon);
    auto first = daemon.stop(asio::use_future);
    auto second = daemon.stop(asio::use_future);
    CHECK(wait(std::move(first)));
    CHECK(wait(std::move(second)));
    CHECK(stop(daemon));
}

SCENARIO("a daemon is destroyed without a start, or without a stop", "[embed]")
{
    {
        const Daemon never_started(in_memory());
        asio::io_context io;
        Daemon not_here_either(io, in_memory());
        CHECK(wait([&] {
            auto stopped = not_here_either.stop(asio::use_future);
            io.run();
            return stopped;
        }()));
    }
    const TempDir folder;
    auto options = in_memory();
    options.persistence = Persistence::periodic_snapshot;
    options.snapshot_path = folder.file("state.json");
    {
        Daemon daemon(options);
        must_start(daemon);
        must(daemon, request::RegisterWorker{.worker_id = "w1"});
    }
    CHECK(read_file(options.snapshot_path).find("w1") != std::string::npos); // the destructor stops it
}

SCENARIO("a start that fails leaves nothing behind and can be tried again", "[embed]")
{
    const TempDir folder;
    auto options = in_memory();
    options.persistence = Persistence::periodic_snapshot;
    options.snapshot_path = folder.file("state.json");

    WHEN("a port is taken")
    {
        auto taken = std::make_unique<TakenPort>();
        options.ws_port = taken->port;
        Daemon daemon(options);
        const auto started = daemon.start();
        THEN("the error says so, and the state is free for another, and later for itself")
        {
            REQUIRE_FALSE(started);
            CHECK(started.error().starts_with("port " + std::to_string(taken->port) + " is in use"));
            auto others = options;
            others.ws_port = 0;
            Daemon another(others);
            CHECK(another.start());
            CHECK(stop(another));
            taken.reset();
            CHECK(daemon.start());
        }
    }
    WHEN("another daemon uses the same state")
    {
        Daemon first(options);
        must_start(first);
        Daemon second(options);
        const auto started = second.start();
        THEN("the error says so, and once the first has stopped it starts")
        {
            REQUIRE_FALSE(started);
            CHECK(started.error().find("another daemon") != std::string::npos);
            REQUIRE(stop(first));
            CHECK(second.start());
        }
    }
    WHEN("it runs already")
    {
        Daemon daemon(options);
        must_start(daemon);
        const auto again = daemon.start();
        THEN("that is refused, and it goes on")
        {
            REQUIRE_FALSE(again);
            CHECK(again.error() == "the daemon is running: stop it first");
            CHECK(ask(daemon, request::RegisterWorker{.worker_id = "w1"}));
        }
    }
}

SCENARIO("a daemon that is started again, over the same state, goes on where it stopped", "[embed]")
{
    const TempDir folder;
    auto options = in_memory();
    options.snapshot_path = folder.file("state.json");
    options.wal_path = folder.file("wal.log");
    options.persistence = GENERATE(Persistence::periodic_snapshot, Persistence::write_ahead_log);

    const auto daemon = std::make_unique<Daemon>(options);
    Heard heard(*daemon, {EventKind::task_completed});
    must_start(*daemon);
    must(*daemon, request::RegisterWorker{.worker_id = "w1"});
    const auto before = assign(*daemon, "t1");
    REQUIRE(before);
    REQUIRE(stop(*daemon));

    WHEN("it is the same object")
    {
        must_start(*daemon);
        THEN("the lease goes on, and so do its handlers")
        {
            CHECK(must(*daemon, request::FindTask{"t1"}).fence == before->fence);
            CHECK(must(*daemon, request::CompleteTask{.task_id = "t1"}).revision > before->revision);
            REQUIRE(stop(*daemon));
            CHECK(heard.lines() == std::vector<std::string>{"task-completed t1 w1"});
        }
    }
    WHEN("it is another one")
    {
        Daemon another(options);
        must_start(another);
        THEN("the lease goes on")
        {
            CHECK(must(another, request::FindTask{"t1"}).fence == before->fence);
        }
    }
}

SCENARIO("an option out of its range is refused in one line that names the field", "[embed]")
{
    const auto fault = [](auto change) {
        auto options = in_memory();
        change(options);
        Daemon daemon(options);
        const auto started = daemon.start();
        return started ? "none" : started.error();
    };
    using O = DaemonOptions;
    CHECK(fault([](O&) {}) == "none");
    CHECK(fault([](O& o) { o.threads = 0; }) == "threads must be from 1 to 256");
    CHECK(fault([](O& o) { o.drain_timeout = std::chrono::milliseconds(-1); }) ==
          "drain_timeout must be from 1 to 2147483647");
    CHECK(fault([](O& o) { o.json_depth_max = 5000; }) == "json_depth_max must be from 1 to 1024");
    CHECK(fault([](O& o) { o.heartbeat_timeout = o.heartbeat_interval; }) ==
          "heartbeat_timeout (5000 ms) must be longer than heartbeat_interval (5000 ms)");
    CHECK(fault([](O& o) { o.max_running = {"gpu"}; }) ==
          "max_running: 'gpu' is not like capability:gpu=2 or field:repo=1");
    CHECK(fault([](O& o) {
              o.persistence = Persistence::write_ahead_log;
              o.wal_path.clear();
          }) == "wal_path must name a file");
    CHECK(fault([](O& o) { o.host.clear(); }) == "host must name an address of this machine");
    CHECK(fault([](O& o) { o.host = "0.0.0.0"; }) ==
          "host '0.0.0.0' lets other machines in: set token, or insecure if anyone there may use the daemon");
    CHECK(fault([](O& o) {
              o.host = "0.0.0.0";
              o.token = "secret";
          }) == "none");
    CHECK(fault([](O& o) {
              o.allow_origins = {"board.example"};
          }).starts_with("allow_origins: 'board.example' is not an origin"));
}
