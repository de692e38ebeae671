#pragma once

#include "torture/ledger.hpp"
#include "torture/state.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace coordination::torture {

/// What a round promised, and what was seen of it before the kill.
struct Evidence {
    State before;                  ///< as the round began
    Revision recovered_before = 0; ///< what was recovered then
    std::vector<Json> changes;     ///< as a follower was told of them
    Ledger ledger;
    bool log = true; ///< all that was acknowledged survives; else what a snapshot holds
    std::chrono::milliseconds snapshot_interval{0};
    std::chrono::steady_clock::time_point killed_at;
    Revision highest_fence = 0; ///< that was ever told to anybody before the round
};

struct Recovered {
    Revision revision = 0; ///< of the last change that the daemon found
    State state;
};

struct Findings {
    std::vector<std::string> violations; ///< none: all was as promised
    Revision highest_fence = 0;
    bool exact = false; ///< whether the state was compared whole with a state that once was
};

/// Compares what was recovered with what was promised.
Findings check(Evidence evidence, const Recovered& recovered);

} // namespace coordination::torture
