#include "core/store/transaction.hpp"

#include <iterator>

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
    if (!committed_) {
        store_.take_back(store_.undo_);
        store_.revision_ = began_at_;
        ++store_.counters_.rollbacks;
    }
    store_.undo_.clear();
    store_.changes_.clear();
    store_.transaction_open_ = false;
}

void Transaction::commit(std::vector<Change>& changes, UndoLog* log)
{
    if (log) {
        if (log->writes.empty())
            log->began_at = began_at_;
        std::ranges::move(store_.undo_, std::back_inserter(log->writes));
    }
    std::ranges::move(store_.changes_, std::back_inserter(changes));
    store_.counters_.operations += store_.changes_.size();
    ++store_.counters_.transactions;
    committed_ = true;
}

} // namespace coordination
