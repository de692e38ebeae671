#pragma once

#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/journal.hpp"
#include "persist/wal/wal_options.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace coordination::testing {

inline const StatePaths state_paths{"data/state-snapshot.json", "data/wal.log"};

/// Small, so that a short test goes through many segments. What fails is tried again at once.
WalOptions small_log();

/// Waits until a journal has come somewhere, by what it tells of its moves.
class Moves {
public:
    std::function<void()> listener();
    /// Throws where that does not come about in a long time.
    JournalProgress await(const Journal& journal,
                          const std::function<bool(const JournalProgress&)>& come_about);

private:
    std::mutex mutex_;
    std::condition_variable moved_;
};

/// A state under random calls whose changes go to a journal as the daemon has them go: committed in memory,
/// appended, and taken back where they were not reached. Knows what the state was at each revision.
class Rig {
public:
    explicit Rig(std::uint64_t seed);

    /// Calls until one changes something; its changes, appended. The journal may be none.
    std::vector<Change> step(Journal* journal);
    /// Appends and waits for it. False where the journal failed: then what it did not reach is taken back,
    /// and rewind() called.
    bool step_and_wait(Journal& journal, Moves& moves);
    /// Waits for all so far, likewise.
    bool settle(Journal& journal, Moves& moves);

    /// The state as it was at an earlier revision.
    void take_back_to(Revision revision);
    /// As the daemon does at a start: revisions go on further up.
    void jump_to(Revision revision);

    Revision revision() { return calls.store().revision(); }
    /// Empty where the state was never at that revision between two calls.
    std::string at(Revision revision) const;
    /// Whether that is, or was before it was taken back, the state at that revision.
    bool ever_was(Revision revision, const std::string& state) const;

    RandomCalls calls;

private:
    struct Step {
        Revision last;
        UndoLog undo;
    };
    std::vector<Step> history_;
    std::map<Revision, std::string> states_;
    std::multimap<Revision, std::string> taken_back_;
};

/// Saves the state through the journal, as the daemon does.
tl::expected<void, std::string> take_snapshot(Journal& journal, StateStore& store);

/// The paths of the log's segments, in order.
std::vector<std::string> segments_on(FaultyDisk& disk);

/// What a start finds: the state, and what is told of it.
struct Found {
    explicit Found(FaultyDisk& disk);

    StateStore store;
    tl::expected<Recovery, std::string> recovery;
    std::string text; ///< dump() of the state
};

} // namespace coordination::testing
