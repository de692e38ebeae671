#pragma once

#include "core/store/state_store.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coordination {

/// How far an append has come.
struct JournalProgress {
    Revision reached = 0;  ///< all changes up to here are as durable as level() promises: they may be told
    Revision synced = 0;   ///< all changes up to here survive a loss of power
    std::string failure{}; ///< why the journal takes nothing at present, in one line; empty: it does
    /// Why only what ends work should be appended (space runs out); empty: anything may.
    std::string pressure{};
    /// When the oldest change was reached that is not synced; none: all are.
    std::optional<std::chrono::steady_clock::time_point> unsynced_since{};
};

/// What was found when the state was read.
struct Recovery {
    Revision revision = 0;          ///< of the latest change; 0: there was none
    std::vector<std::string> notes; ///< what an operator should read, each a line
    bool tail_cut = false;          ///< a torn last record was cut off
    bool may_have_lost = true;      ///< whether revisions beyond `revision` may have been told to somebody
};

struct JournalCounters {
    std::uint64_t writes = 0; ///< records written
    std::uint64_t bytes = 0;
    std::uint64_t syncs = 0;
    std::optional<std::chrono::system_clock::time_point> last_sync;
    std::uint64_t tails_cut = 0;
};

/// A snapshot on its way to where it replaces the older one and what it makes superfluous. Dropping it before
/// commit() leaves all as it was.
///
/// Threads  One at a time; its calls block.
class SnapshotSink {
public:
    virtual ~SnapshotSink() = default;
    virtual tl::expected<void, std::string> write(std::string_view text) = 0;
    virtual tl::expected<void, std::string> commit() = 0;
};

/// Where committed changes become durable. The store above knows revisions, never files; local files are one
/// implementation, a replicated log on another engine would be one more.
///
/// Order    recover(), open(), then append() and the rest, close() last.
/// Failure  When something cannot be made durable, `failure` is set, `reached` stays, and what was
///          appended beyond it is void: the owner takes those changes back in memory, then calls rewind().
///          The journal tries by itself until it can take changes again, and then clears the failure:
///          nothing is lost that was reached, nothing is found later that was not.
/// Threads  progress(), counters() from any; the rest on the store's strand, which none of it blocks, but
///          for recover(), open() and close().
class Journal {
public:
    virtual ~Journal() = default;

    /// What `reached` means.
    virtual Durability level() const noexcept = 0;

    /// Takes the place for this process and reads all that is there into the empty store. One line, if it
    /// cannot, that says what to do: damage is never skipped.
    virtual tl::expected<Recovery, std::string> recover(StateStore& store) = 0;

    /// Begins behind `revision`, where the store goes on. `moved` is called, from any thread, when progress()
    /// has changed; it must not block nor call back.
    virtual tl::expected<void, std::string> open(Revision revision, std::function<void()> moved) = 0;

    /// The changes of whole transactions, in order of revision. Encoded before it returns; on their way once
    /// hand_over() was called, so that one write and one sync may serve many.
    virtual void append(std::span<const Change> changes) = 0;
    virtual void hand_over() = 0;

    virtual JournalProgress progress() const = 0;
    virtual JournalCounters counters() const = 0;

    /// After a failure: the owner has taken back all beyond `reached`. What comes next follows it.
    virtual void rewind() = 0;

    /// Whether what has gathered since the last snapshot is worth one.
    virtual bool wants_snapshot() const = 0;
    /// For the state at `revision`, the latest that was appended: what comes later is kept apart from what
    /// this snapshot will make superfluous.
    virtual std::unique_ptr<SnapshotSink> put_snapshot(Revision revision) = 0;

    /// Makes the rest durable and lets go of the place.
    virtual tl::expected<void, std::string> close() = 0;
};

} // namespace coordination
