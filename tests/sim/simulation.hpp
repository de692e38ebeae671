#pragma once

#include "core/engine.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace coordination::sim {

/// A promise that was broken.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One random life of an engine under virtual time: clients that submit, cancel and retry; workers that
/// stall, die, come back late and answer twice; journals that fail; restarts. The seed decides everything.
class Simulation {
public:
    explicit Simulation(std::uint64_t seed);

    /// Throws a Violation.
    void run(int steps);

private:
    struct Lease {
        TaskId task;
        std::uint32_t attempt;
        Revision fence;
    };
    struct Actor {
        WorkerId id;
        SessionId session = 0;     ///< 0: over HTTP, or not connected
        bool stalled = false;      ///< gives no sign of life
        std::vector<Lease> leases; ///< as it believes; never cleared of what it has lost, so it answers late
    };

    // Chance.
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
    template <class Items>
    auto& pick(Items& items)
    {
        return items[below(items.size())];
    }

    // What happens: actions.cpp.
    void step();
    void submit();
    NewTask random_task(std::string id, const std::vector<std::string>& siblings);
    Shared<TaskPolicy> random_policy(const std::vector<std::string>& siblings);
    void assign();
    void join();
    void leave(Actor& actor);
    void report(Actor& actor);
    void claim(Actor& actor);
    void steer();
    void pass(std::chrono::milliseconds time);
    void restart();
    void lose_writes();

    // How it is carried out: simulation.cpp.
    Result call(const Command& command, const Caller& caller = {});
    void settle();
    void take_in();
    void follow(const Change& change, const Task& task);
    void finish();
    Caller caller_of(const Actor& actor) const
    {
        return {actor.session, actor.session ? actor.id : WorkerId{}};
    }

    // What must hold: invariants.cpp.
    void check();
    void check_leases() const;
    void check_waiting();
    void check_recount();
    void check_report(const FinishTask& command, const Caller& caller, const Task& before,
                      const Result& result);
    std::set<Revision> about_to_go();

    std::mt19937_64 random_;
    Limits limits_;
    std::unique_ptr<Engine> engine_;
    Effects effects_;
    UndoLog* undo_ = nullptr;
    Timestamp now_{std::chrono::milliseconds{1'700'000'000'000}};
    std::map<std::string, Actor> actors_;
    SessionId last_session_ = 0;
    int last_task_ = 0;
    Revision last_fence_ = 0;
    bool may_reopen_ = false; ///< the command was one that brings ended tasks back
    std::size_t created_ = 0;
    std::size_t erased_ = 0;
    std::unordered_map<std::string, Task> seen_; ///< each task as the changes last told of it
};

} // namespace coordination::sim
