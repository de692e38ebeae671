#include "torture/round.hpp"

#include "torture/follower.hpp"

#include "support/deadline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

namespace coordination::torture {

namespace fs = std::filesystem;
using testing::Arguments;
using testing::DaemonProcess;
using testing::Deadline;
using testing::Environment;
using testing::field;
using testing::HttpPeer;
using testing::text;
using namespace std::chrono_literals;

namespace {

constexpr int http_clients = 4;
constexpr int ws_clients = 3;

std::string bin_dir()
{
    const char* folder = std::getenv("COORD_BIN_DIR");
    return folder ? folder : ".";
}

Arguments arguments(const Plan& plan)
{
    return {"--persistence",
            plan.persistence,
            "--snapshot-path",
            "state/snapshot.json",
            "--wal-path",
            "state/wal.log",
            "--wal-sync-interval",
            std::to_string(plan.sync_interval.count()),
            "--snapshot-interval",
            std::to_string(plan.snapshot_interval.count()),
            "--heartbeat-timeout",
            "60000",
            "--max-tasks-per-worker",
            "50",
            "--outbox-bytes-max",
            "268435456",
            "--subscription-bytes-max",
            "268435456"};
}

} // namespace

std::string Plan::text() const
{
    auto line = fmt::format("{}, sync {} ms, snapshot {} ms, {} ms", persistence, sync_interval.count(),
                            snapshot_interval.count(), duration.count());
    if (fault)
        line += fmt::format(", {} at call {} for {}", fault->mode, fault->call, fault->span);
    return line;
}

std::vector<std::string> Rounds::run(const Plan& plan)
{
    const auto daemon = start(plan);
    if (daemon && !violations_.empty())
        daemon->kill();
    if (!daemon || !violations_.empty())
        return std::exchange(violations_, {});
    torment(*daemon, plan);
    if (const auto point = reached_point(); plan.fault && point)
        ++tally_.faults[plan.fault->mode + " " + *point];
    return std::exchange(violations_, {});
}

std::vector<std::string> Rounds::finish()
{
    const auto daemon = start({.name = "last", .persistence = "write-ahead-log", .fault = {}});
    if (daemon && daemon->terminate().status != 0)
        violations_.push_back("the daemon did not stop well");
    return std::exchange(violations_, {});
}

/// A daemon that listens, and whose state agrees with the last round. A fault point that is reached on the
/// way there may end the start, never the state.
Rounds::Daemon Rounds::start(const Plan& plan)
{
    fs::remove(mark());
    for (const bool with_fault : {plan.fault.has_value(), false}) {
        auto daemon = try_start(plan, with_fault);
        if (!first_found_)
            first_found_ = logged_revision();
        if (!daemon)
            continue;
        const auto found = look(*daemon);
        if (found) {
            settle_last(*found);
            return daemon;
        }
        daemon->kill();
        ++tally_.starts_that_failed;
        if (!with_fault)
            violations_.push_back("the daemon started and answers nothing");
    }
    return nullptr;
}

Rounds::Daemon Rounds::try_start(const Plan& plan, bool with_fault)
{
    Environment environment;
    if (with_fault)
        environment = {{"LD_PRELOAD", bin_dir() + "/libkill-at.so"},
                       {"KILL_AT_DIR", "state"},
                       {"KILL_AT_CALL", std::to_string(plan.fault->call)},
                       {"KILL_AT_SPAN", std::to_string(plan.fault->span)},
                       {"KILL_AT_MODE", plan.fault->mode},
                       {"KILL_AT_MARK", mark()}};
    try {
        ++tally_.starts;
        return std::make_unique<DaemonProcess>(data_, arguments(plan), environment);
    } catch (const std::runtime_error& error) {
        const std::string reason = error.what();
        const auto expected =
            with_fault && reached_point() ? plan.fault->kills() ? "status 137" : "status 1:" : "no failure";
        if (reason.find(expected) == std::string::npos)
            violations_.push_back(reason);
        ++tally_.starts_that_failed;
        return nullptr;
    }
}

/// A start that ended at its fault point may have let the revisions jump already: what was found is what the
/// first one since the kill found.
std::optional<Recovered> Rounds::look(const DaemonProcess& daemon) const
{
    if (!first_found_)
        throw std::logic_error("the daemon does not log what it recovered");
    try {
        HttpPeer http(daemon.http_port());
        return Recovered{*first_found_, State::from(http.get("/api/state").json())};
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

/// What the latest daemon to start said that it found, if it came that far.
std::optional<Revision> Rounds::logged_revision() const
{
    int latest = 0;
    for (const auto& entry : fs::directory_iterator(data_.path()))
        if (const auto name = entry.path().filename().string(); name.starts_with("stderr-"))
            latest = std::max(latest, std::atoi(name.c_str() + 7));
    const auto log = testing::read_file(data_.file("stderr-" + std::to_string(latest)));
    constexpr std::string_view before = "at revision ";
    const auto line = log.find("recovered ");
    const auto at = line == std::string::npos ? line : log.find(before, line);
    if (at == std::string::npos)
        return std::nullopt;
    return std::atoll(log.c_str() + at + before.size());
}

void Rounds::settle_last(const Recovered& found)
{
    if (evidence_) {
        auto findings = check(std::move(*evidence_), found);
        std::ranges::move(findings.violations, std::back_inserter(violations_));
        highest_fence_ = findings.highest_fence;
        tally_.exact += findings.exact ? 1 : 0;
        evidence_.reset();
    }
    state_ = found.state;
    recovered_ = found.revision;
    first_found_.reset();
}

void Rounds::torment(DaemonProcess& daemon, const Plan& plan)
{
    Arena arena{
        .http_port = daemon.http_port(), .ws_port = daemon.ws_port(), .before = &state_, .round = plan.name};
    std::vector<std::unique_ptr<Client>> clients;
    std::unique_ptr<Follower> follower;
    try {
        follower = std::make_unique<Follower>(daemon.ws_port());
        for (int i = 0; i < http_clients; ++i)
            clients.push_back(http_client(arena, i, plan.seed + static_cast<unsigned>(i)));
        for (int i = 0; i < ws_clients; ++i)
            clients.push_back(ws_client(arena, i, plan.seed + 100 + static_cast<unsigned>(i)));
        clients.push_back(observer(arena, plan.seed + 200));
    } catch (const std::runtime_error& error) {
        if (!plan.fault || !plan.fault->kills() || !reached_point())
            violations_.push_back(std::string("a client cannot begin: ") + error.what());
        clients.clear();
    }
    for (auto& client : clients)
        client->start();
    const bool lived_through_fault = let_run(plan, arena);
    arena.clients.stop();
    const auto killed_at = std::chrono::steady_clock::now();
    const auto ended = daemon.kill();

    const bool killed_itself = plan.fault && plan.fault->kills() && reached_point();
    Ledger ledger;
    for (auto& client : clients) {
        ledger.merge(client->join());
        if (!client->lost().empty() && !killed_itself)
            violations_.push_back("a connection was lost: " + client->lost() + "; the daemon said " +
                                  ended.err);
    }
    Evidence evidence{.before = std::move(state_),
                      .recovered_before = recovered_,
                      .changes = follower ? follower->changes() : std::vector<Json>{},
                      .ledger = std::move(ledger),
                      .log = plan.log(),
                      .snapshot_interval = plan.snapshot_interval,
                      .killed_at = killed_at,
                      .highest_fence = highest_fence_};
    const bool lasted = plan.fault && plan.fault->span > 1; // else it may be over before the observer looks
    if (lived_through_fault && lasted && evidence.ledger.storage_failures > 0 && !arena.saw_degraded)
        violations_.push_back("writes were refused while the health was good");
    for (const auto& ack : evidence.ledger.acks)
        ++tally_.acknowledged[ack.durable];
    tally_.refused += evidence.ledger.refused.size();
    tally_.storage_failures += evidence.ledger.storage_failures;
    tally_.changes += evidence.changes.size();
    evidence_ = std::move(evidence);
    keep_what_is_left();
}

/// Until the time is up or the daemon is dead. After a fault that does not kill it, it must recover by
/// itself: true where there was one.
bool Rounds::let_run(const Plan& plan, const Arena& arena)
{
    arena.clients.await_all_gone(plan.duration);
    const bool lives_through_fault = plan.fault && !plan.fault->kills() && reached_point();
    if (lives_through_fault)
        await_recovery(arena);
    return lives_through_fault;
}

void Rounds::await_recovery(const Arena& arena)
{
    try {
        HttpPeer http(arena.http_port);
        for (const Deadline deadline; !deadline.passed();) {
            const auto health = http.get("/health");
            const auto write =
                http.post("/api/workers/register", R"({"workerId":"prober","capabilities":["probing"]})");
            if (health.status == 200 && write.status == 200)
                return;
            arena.clients.await_all_gone(10ms); // then it is dead
        }
        violations_.push_back("it does not recover: " + http.get("/health").body);
    } catch (const std::runtime_error& error) {
        violations_.push_back(std::string("it does not live through a fault: ") + error.what());
    }
}

void Rounds::keep_what_is_left() const
{
    fs::remove_all(crashed_.path() / "state");
    if (fs::exists(data_.path() / "state"))
        fs::copy(data_.path() / "state", crashed_.path() / "state", fs::copy_options::recursive);
}

std::optional<std::string> Rounds::reached_point() const
{
    if (!fs::exists(mark()))
        return std::nullopt;
    return testing::read_file(mark());
}

} // namespace coordination::torture
