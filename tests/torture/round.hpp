#pragma once

#include "torture/check.hpp"
#include "torture/clients.hpp"

#include "support/daemon_process.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coordination::torture {

struct Fault {
    std::string mode; ///< as kill_at.cpp knows them
    int call = 0;
    int span = 1;

    bool kills() const { return mode == "before" || mode == "after" || mode == "torn"; }
};

struct Plan {
    std::string name; ///< begins the tokens
    std::uint64_t seed = 0;
    std::string persistence;
    std::chrono::milliseconds sync_interval{0};
    std::chrono::milliseconds snapshot_interval{60'000};
    std::chrono::milliseconds duration{0}; ///< from the first call to the kill
    std::optional<Fault> fault;

    bool log() const { return persistence == "write-ahead-log"; }
    std::string text() const;
};

struct Tally {
    std::map<std::string, std::uint64_t> acknowledged; ///< by level
    std::map<std::string, std::uint64_t> faults;       ///< points that were reached, by mode and call
    std::uint64_t refused = 0;
    std::uint64_t storage_failures = 0;
    std::uint64_t exact = 0; ///< states that were compared whole
    std::uint64_t changes = 0;
    std::uint64_t starts = 0;
    std::uint64_t starts_that_failed = 0; ///< by a fault point
};

/// Rounds in one data directory: a daemon is started, which shows what is left of the round before; clients
/// call it, and it is killed.
class Rounds {
public:
    /// What was not as promised; none: all was.
    std::vector<std::string> run(const Plan& plan);
    /// Starts the daemon once more, to look at what the last round has left.
    std::vector<std::string> finish();

    const Tally& tally() const { return tally_; }
    /// As the daemon left it at the last kill.
    const std::filesystem::path& crashed() const { return crashed_.path(); }

private:
    using Daemon = std::unique_ptr<testing::DaemonProcess>;

    Daemon start(const Plan& plan);
    Daemon try_start(const Plan& plan, bool with_fault);
    std::optional<Recovered> look(const testing::DaemonProcess& daemon) const;
    std::optional<Revision> logged_revision() const;
    void settle_last(const Recovered& found);
    void torment(testing::DaemonProcess& daemon, const Plan& plan);
    bool let_run(const Plan& plan, const Arena& arena);
    void await_recovery(const Arena& arena);
    void keep_what_is_left() const;
    std::optional<std::string> reached_point() const;
    std::string mark() const { return data_.file("mark"); }

    testing::TempDir data_;
    testing::TempDir crashed_;
    std::optional<Evidence> evidence_; ///< of the last round, until the next start shows what is left
    State state_;
    Revision recovered_ = 0;
    std::optional<Revision> first_found_; ///< by the first start since the last kill that came so far
    Revision highest_fence_ = 0;
    std::vector<std::string> violations_;
    Tally tally_;
};

} // namespace coordination::torture
