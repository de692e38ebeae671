#pragma once

#include "core/bus/message.hpp"
#include "core/store/records.hpp"
#include "core/store/table.hpp"

#include <variant>
#include <vector>

namespace coordination {

/// How to take one write back: a row that was new is erased, one that was replaced gets its value back, one
/// that was erased is hung back in.
template <class Record>
struct Inserted {
    Revision ordinal;
};
template <class Record>
struct Replaced {
    Record before;
};
template <class Record>
struct Erased {
    typename Table<Record>::Rows::node_type row;
};

using Undo = std::variant<Inserted<Worker>, Replaced<Worker>, Erased<Worker>, Inserted<Task>, Replaced<Task>,
                          Erased<Task>, Inserted<Assignment>, Replaced<Assignment>, Erased<Assignment>,
                          Inserted<BusMessage>, Replaced<BusMessage>, Erased<BusMessage>>;

/// The writes of committed transactions, oldest first, kept until nothing can take them back any more: the
/// journal may still fail to make them durable.
struct UndoLog {
    std::vector<Undo> writes;
    Revision began_at = 0; ///< the revision before the first of them; means nothing while there are none
};

} // namespace coordination
