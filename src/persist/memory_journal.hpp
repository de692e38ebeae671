#pragma once

#include "persist/journal.hpp"

#include <atomic>

namespace coordination {

/// The memory-only strategy: nothing is kept.
class MemoryJournal final : public Journal {
public:
    Durability level() const noexcept override { return Durability::memory; }
    tl::expected<Recovery, std::string> recover(StateStore&) override { return Recovery{}; }
    tl::expected<void, std::string> open(Revision revision, std::function<void()>) override
    {
        reached_ = revision;
        return {};
    }
    void hand_over() override {}
    void append(std::span<const Change> changes) override
    {
        if (!changes.empty())
            reached_ = changes.back().revision;
    }
    JournalProgress progress() const override { return {.reached = reached_}; }
    JournalCounters counters() const override { return {}; }
    void rewind() override {}
    bool wants_snapshot() const override { return false; }
    /// None: there is nowhere to put it.
    std::unique_ptr<SnapshotSink> put_snapshot(Revision) override { return nullptr; }
    tl::expected<void, std::string> close() override { return {}; }

private:
    std::atomic<Revision> reached_ = 0;
};

} // namespace coordination
