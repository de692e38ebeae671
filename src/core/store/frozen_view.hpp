#pragma once

#include "core/bus/message.hpp"
#include "core/store/records.hpp"
#include "core/store/table.hpp"

#include <cstddef>
#include <map>
#include <utility>

namespace coordination {

class StateStore;

/// The rows of one collection as they were at one revision, read in bounded slices while writers go on.
/// Instead of a copy it keeps only what a later write replaced before the reader came by.
template <class Record>
class FrozenTable {
public:
    FrozenTable(const Table<Record>& table, Revision at) noexcept : table_(table), at_(at) {}

    /// Told by the store of each row that is about to be replaced or erased.
    void keep(const Record& before)
    {
        if (before.ordinal <= at_ && before.ordinal >= next_)
            kept_.try_emplace(before.ordinal, before);
    }

    /// Hands the next rows, oldest first, at most `rows_max` of them, to `use`. False when there are no more.
    template <class Use>
    bool next(std::size_t rows_max, Use use)
    {
        auto live = table_.rows().lower_bound(next_);
        for (std::size_t rows = 0; rows < rows_max; ++rows) {
            const bool live_left = live != table_.rows().end() && live->first <= at_;
            const auto kept = kept_.begin();
            if (kept != kept_.end() && (!live_left || kept->first <= live->first)) {
                if (live_left && kept->first == live->first)
                    ++live;
                next_ = kept->first + 1;
                use(std::as_const(kept->second));
                kept_.erase(kept);
            } else if (live_left) {
                next_ = live->first + 1;
                use(live->second);
                ++live;
            } else {
                return false;
            }
        }
        return true;
    }

    std::size_t kept() const noexcept { return kept_.size(); }

private:
    const Table<Record>& table_;
    Revision at_;
    Revision next_ = 0; ///< ordinals below were handed out
    std::map<Revision, Record> kept_;
};

/// The whole state at one revision. Lives on the store's strand, and not longer than the store.
class FrozenView {
public:
    explicit FrozenView(StateStore& store);
    ~FrozenView();
    FrozenView(const FrozenView&) = delete;
    FrozenView& operator=(const FrozenView&) = delete;

    Revision revision() const noexcept { return revision_; }
    const Totals& totals() const noexcept { return totals_; }
    FrozenTable<Worker> workers;
    FrozenTable<Task> tasks;
    FrozenTable<BusMessage> messages;

private:
    StateStore& store_;
    Revision revision_;
    Totals totals_;
};

} // namespace coordination
