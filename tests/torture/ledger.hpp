#pragma once

#include "torture/state.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace coordination::torture {

/// An answer that said "it happened".
struct Ack {
    std::chrono::steady_clock::time_point at;
    Revision revision = 0;
    std::string durable;
    std::optional<Json> task; ///< as the answer showed it
    std::string token;        ///< of the call
    bool ended_task = false;
};

/// What a client last knew of a worker that it alone registers and unregisters.
struct WorkerFate {
    bool registered = false;
    std::string token;      ///< of the registration
    bool uncertain = false; ///< a later call was not answered
};

/// What one client did and was told. Written by its thread alone.
struct Ledger {
    std::vector<Ack> acks;
    std::set<std::string>
        refused; ///< tokens of calls that were answered "it did not happen", or were duplicates
    std::map<std::string, WorkerFate> workers;
    Revision reached = 0;     ///< highest acknowledged revision
    Revision in_snapshot = 0; ///< highest that was acknowledged before a snapshot which was acknowledged
    std::uint64_t storage_failures = 0; ///< refusals with STORAGE_FAILED
    std::vector<std::string> violations;

    void acknowledge(const Json& reply, const std::string& token, bool ends_task);
    void merge(Ledger&& other);
};

} // namespace coordination::torture
