#pragma once

#include "core/fleet.hpp"

#include <cstdint>
#include <iosfwd>
#include <random>
#include <string>

namespace coordination::testing {

/// COORD_SEED where it is set, else another one each time. Print it: INFO("COORD_SEED=" << seed).
std::uint64_t seed_of_run();

/// A small fleet under random calls of every kind, refused ones and rolled back transactions among them, with
/// ids and payloads that need escapes.
class RandomCalls {
public:
    explicit RandomCalls(std::uint64_t seed);

    void step();
    void steps(int count)
    {
        while (count-- > 0)
            step();
    }
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

    Fleet fleet;
    StateStore& store() { return fleet.engine.store(); }

private:
    std::string some_worker();
    std::string some_task();
    std::vector<std::string> some_capabilities();
    TaskData some_data();
    Caller some_caller(const Task* task);
    LeaseClaim some_claim(const Task* task);
    void register_worker();
    void assign();
    void report();
    void subscribe_messages();
    void publish();
    void settle_message();
    void abandon_transaction();

    std::mt19937_64 random_;
    SessionId last_session_ = 1000;
    std::uint64_t last_task_ = 0;
};

/// Every row with all that is persisted of it, and what follows from the rows. Two states with the same text
/// are the same. Who is connected, and when it was last heard, is not in it.
std::string dump(const StateStore& store);

/// Counts again what the indexes claim; empty where they are right, else what is wrong.
std::string recount(const StateStore& store, const Limits& limits);

/// Their parts for messages.
void dump_message(std::ostream& out, const BusMessage& message);
std::string recount_messages(const StateStore& store);

} // namespace coordination::testing
