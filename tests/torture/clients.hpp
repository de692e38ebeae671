#pragma once

#include "torture/attendance.hpp"
#include "torture/ledger.hpp"
#include "torture/state.hpp"

#include "support/http_peer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace coordination::torture {

/// What the clients of a round share.
struct Arena {
    std::uint16_t http_port = 0;
    std::uint16_t ws_port = 0;
    const State* before = nullptr; ///< the state that the round began with
    std::string round;             ///< begins each token
    bool snapshots = true;         ///< whether clients ask for snapshots
    std::atomic<bool> saw_degraded = false;
    Attendance clients{};
};

/// A client in a thread of its own that calls until it is told to stop or its connection ends.
class Client {
public:
    Client(Arena& arena, std::string name, std::uint64_t seed);
    virtual ~Client() = default;

    void start();
    /// Waits for its end. Whether its connection ended before it was told to stop is in `lost`.
    Ledger join();
    const std::string& lost() const { return lost_; }

protected:
    virtual void work() = 0;

    std::string next_token();
    int any(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    bool one_in(int n) { return any(n) == 0; }
    /// Calls nothing for that long, unless the round ends.
    void rest(std::chrono::microseconds time) { arena_.clients.await_stop(time); }
    /// Between calls, for a random time: the state must not outgrow what can be compared after each kill.
    void pause() { rest(std::chrono::microseconds(any(6000))); }

    Arena& arena_;
    std::string name_;
    Ledger ledger_;

private:
    std::mt19937_64 random_;
    int tokens_ = 0;
    std::string lost_;
    std::thread thread_;
};

/// Registers a worker over HTTP, hands out tasks, ends some of them, asks for what must be refused, and
/// leaves and comes back.
std::unique_ptr<Client> http_client(Arena& arena, int number, std::uint64_t seed);
/// A worker on a WebSocket: takes what it is sent, and hands out tasks as well.
std::unique_ptr<Client> ws_client(Arena& arena, int number, std::uint64_t seed);
/// Looks at the health all the time; reads and heartbeats must be answered whatever the disk does.
std::unique_ptr<Client> observer(Arena& arena, std::uint64_t seed);

} // namespace coordination::torture
