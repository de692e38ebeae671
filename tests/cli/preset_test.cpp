#include "cli/config.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::cli;
using namespace std::chrono_literals;

namespace {

DaemonOptions options_of(const std::string& preset)
{
    const auto config = settle({{"preset", preset}}, {});
    REQUIRE(config);
    CHECK(config->preset == preset);
    CHECK(config->options.http_port == 9500);
    CHECK(config->options.ws_port == 9501);
    return config->options;
}

} // namespace

TEST_CASE("preset development is the seed's")
{
    const auto options = options_of("development");
    CHECK(options.persistence == Persistence::memory_only);
    CHECK(options.heartbeat_interval == 5s);
    CHECK(options.heartbeat_timeout == 15s);
}

TEST_CASE("preset production is the seed's")
{
    const auto options = options_of("production");
    CHECK(options.persistence == Persistence::periodic_snapshot);
    CHECK(options.snapshot_interval == 30s);
    CHECK(options.snapshot_path == "./coordination/state-snapshot.json");
    CHECK(options.heartbeat_interval == 5s);
    CHECK(options.heartbeat_timeout == 15s);
    CHECK(options.max_tasks_per_worker == 10);
}

TEST_CASE("preset highAvailability is the seed's")
{
    const auto options = options_of("highAvailability");
    CHECK(options.persistence == Persistence::write_ahead_log);
    CHECK(options.wal_path == "./coordination/wal.log");
    CHECK(options.wal_sync_interval == 1s);
    CHECK(options.snapshot_interval == 60s);
    CHECK(options.heartbeat_interval == 3s);
    CHECK(options.heartbeat_timeout == 10s);
    CHECK(options.max_tasks_per_worker == 5);
}

TEST_CASE("preset testing is the seed's")
{
    const auto options = options_of("testing");
    CHECK(options.persistence == Persistence::memory_only);
    CHECK(options.heartbeat_interval == 1s);
    CHECK(options.heartbeat_timeout == 3s);
    CHECK(options.max_tasks_per_worker == 5);
}
