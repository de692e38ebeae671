#pragma once

#include "core/store/state_store.hpp"

#include <cassert>
#include <utility>

namespace coordination {

/// The one way to write to the store. Undoes its writes unless commit() was reached, so that an early return,
/// an error and an exception all leave the store, its indexes and its revision as they were.
///
/// One at a time, and never across a co_await: in between, others write. A pointer that it gave out is good
/// until the next write of that row.
class Transaction {
public:
    Transaction(StateStore& store, Timestamp now) noexcept;
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    const StateStore& state() const noexcept { return store_; }
    StateStore& store() noexcept { return store_; }
    Timestamp now() const noexcept { return now_; }
    /// The revision that the next write will have.
    Revision next_revision() const noexcept { return store_.revision_ + 1; }

    /// Writes a row, new or not. A new one whose ordinal is 0 gets the revision of this write.
    template <class Record>
    void put(Record record, Operation operation)
    {
        const auto revision = ++store_.revision_;
        auto& table = store_.table<Record>();
        Record* row = table.find(record.id.view());
        if (!row) {
            if (record.ordinal == 0)
                record.ordinal = revision;
            store_.undo_.emplace_back(Inserted<Record>{record.ordinal});
            row = &table.insert(std::move(record));
            store_.follow(nullptr, row);
        } else {
            store_.keep_for_views(*row);
            record.id = row->id; // the index points into it
            record.ordinal = row->ordinal;
            auto& undo = store_.undo_.emplace_back(Replaced<Record>{std::move(*row)});
            *row = std::move(record);
            store_.follow(&std::get<Replaced<Record>>(undo).before, row);
        }
        store_.changes_.push_back({revision, operation, now_, *row});
    }

    /// Deletes a row that exists.
    template <class Record>
    void erase(std::string_view id)
    {
        const auto revision = ++store_.revision_;
        auto& table = store_.table<Record>();
        const Record* row = table.find(id);
        assert(row);
        store_.keep_for_views(*row);
        store_.changes_.push_back({revision, Operation::erase, now_, *row});
        store_.undo_.emplace_back(Erased<Record>{table.take(id)});
        store_.follow(&std::get<Erased<Record>>(store_.undo_.back()).row.mapped(), nullptr);
    }

    /// Whether anything was written yet.
    bool wrote() const noexcept { return !store_.changes_.empty(); }

    /// Makes the writes stay, and moves their changes, oldest first, to the end of `changes`. With `log`, how
    /// to take them back goes to its end.
    void commit(std::vector<Change>& changes, UndoLog* log = nullptr);

private:
    StateStore& store_;
    Timestamp now_;
    Revision began_at_;
    bool committed_ = false;
};

} // namespace coordination
