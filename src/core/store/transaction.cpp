#include "core/store/transaction.hpp"

#include <iterator>
#include <ranges>

namespace coordination {

Transaction::Transaction(StateStore& store, Timestamp now) noexcept
    : store_(store),
      now_(now),
      began_at_(store.revision_)
{
    assert(!store.transaction_open_ && "one transaction at a time");
    store.transaction_open_ = true;
}

Transaction::~Transaction()
{
    if (!committed_)
        rollback();
    store_.undo_.clear();
    store_.changes_.clear();
    store_.transaction_open_ = false;
}

void Transaction::commit(std::vector<Change>& changes)
{
    std::ranges::move(store_.changes_, std::back_inserter(changes));
    store_.counters_.operations += store_.changes_.size();
    ++store_.counters_.transactions;
    committed_ = true;
}

void Transaction::rollback() noexcept
{
    for (auto& write : store_.undo_ | std::views::reverse)
        std::visit([this](auto& w) { undo(w); }, write);
    store_.revision_ = began_at_;
    ++store_.counters_.rollbacks;
}

template <class Record>
void Transaction::undo(StateStore::Inserted<Record>& write)
{
    auto& table = store_.table<Record>();
    const Record* row = table.at_ordinal(write.ordinal);
    const auto taken = table.take(row->id.view());
    store_.follow(&taken.mapped(), nullptr);
}

template <class Record>
void Transaction::undo(StateStore::Replaced<Record>& write)
{
    Record* row = store_.table<Record>().find(write.before.id.view());
    const Record after = std::exchange(*row, std::move(write.before));
    store_.follow(&after, row);
}

template <class Record>
void Transaction::undo(StateStore::Erased<Record>& write)
{
    const Record& row = store_.table<Record>().insert(std::move(write.row));
    store_.follow(nullptr, &row);
}

} // namespace coordination
