#pragma once

#include "persist/journal.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace coordination {

/// A journal that fails when told to. Like the real one it takes nothing from a failure until rewind().
class ScriptedJournal final : public Journal {
public:
    void fail(std::string why)
    {
        progress_.failure = std::move(why);
        void_ = true;
    }
    /// The disk works again. False where it waits for rewind().
    bool recover()
    {
        if (!void_)
            progress_.failure.clear();
        return !void_;
    }
    void reach(Revision revision) { progress_.reached = revision; }

    Durability level() const noexcept override { return Durability::disk; }
    tl::expected<Recovery, std::string> recover(StateStore&) override { return Recovery{}; }
    tl::expected<void, std::string> open(Revision, std::function<void()>) override { return {}; }
    void append(std::span<const Change>) override {}
    void hand_over() override {}
    JournalProgress progress() const override { return progress_; }
    JournalCounters counters() const override { return {}; }
    void rewind() override { void_ = false; }
    bool wants_snapshot() const override { return false; }
    std::unique_ptr<SnapshotSink> put_snapshot(Revision) override
    {
        ++snapshots;
        return std::make_unique<NoSink>();
    }
    tl::expected<void, std::string> close() override { return {}; }

    int snapshots = 0; ///< begun

private:
    struct NoSink final : SnapshotSink {
        tl::expected<void, std::string> write(std::string_view) override { return {}; }
        tl::expected<void, std::string> commit() override { return {}; }
    };

    JournalProgress progress_;
    bool void_ = false;
};

} // namespace coordination
