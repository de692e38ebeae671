#pragma once

#include "persist/wal/rig.hpp"
#include "persist/wal/wal_journal.hpp"

#include <catch2/catch.hpp>

#include <memory>

namespace coordination::testing {

/// A journal at work over what an earlier one may have left on the disk, which it finds in `found`.
struct Opened {
    explicit Opened(FaultyDisk& disk, const WalOptions& options = small_log())
        : found(Limits{}),
          journal(std::make_unique<WalJournal>(disk, options))
    {
        auto read = journal->recover(found);
        REQUIRE((read ? "" : read.error()) == std::string{});
        recovery = *read;
        const auto opened = journal->open(recovery.revision, moves.listener());
        REQUIRE((opened ? "" : opened.error()) == std::string{});
    }

    JournalProgress await(const std::function<bool(const JournalProgress&)>& come_about)
    {
        return moves.await(*journal, come_about);
    }
    JournalProgress await_recovery()
    {
        return await([](const JournalProgress& come) { return come.failure.empty(); });
    }

    StateStore found;
    Recovery recovery;
    Moves moves;
    std::unique_ptr<WalJournal> journal;
};

/// Holds up one kind of call to the disk until it is let go.
class Gate {
public:
    Gate(FaultyDisk& disk, std::string operation) : state_(std::make_shared<State>())
    {
        disk.before_calls([state = state_, operation = std::move(operation)](const std::string& called) {
            if (called == operation)
                state->pass();
        });
    }
    ~Gate() { open(); }
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// Until somebody stands before it.
    void await_arrival()
    {
        std::unique_lock lock(state_->mutex);
        REQUIRE(
            state_->changed.wait_for(lock, std::chrono::seconds(30), [this] { return state_->waiting > 0; }));
    }
    /// Everybody passes from now on.
    void open()
    {
        const std::lock_guard lock(state_->mutex);
        state_->open = true;
        state_->changed.notify_all();
    }

private:
    struct State {
        void pass()
        {
            std::unique_lock lock(mutex);
            ++waiting;
            changed.notify_all();
            changed.wait(lock, [this] { return open; });
            --waiting;
        }

        std::mutex mutex;
        std::condition_variable changed;
        int waiting = 0;
        bool open = false;
    };

    std::shared_ptr<State> state_; ///< whoever calls the disk may outlive us
};

} // namespace coordination::testing
