#pragma once

#include "core/bus/message.hpp"
#include "core/store/records.hpp"

#include <variant>

namespace coordination {

/// The collections that can be watched; `messages` cannot. `workerTasks` and `metadata` are kept beside them
/// but follow from them.
enum class Collection : std::uint8_t { workers, tasks, assignments };
inline constexpr int collection_count = 3;

/// set: a whole value was written (created or assigned anew). update: fields were merged. erase is `delete`
/// on the wire.
enum class Operation : std::uint8_t { set, update, erase };
inline constexpr int operation_count = 3;

std::string_view name_of(Collection) noexcept;
std::string_view name_of(Operation) noexcept;

/// One committed change of one row, with the row as it was from that revision on (or last was, for a
/// deletion).
struct Change {
    Revision revision = 0;
    Operation operation = Operation::set;
    Timestamp at{};
    std::variant<Worker, Task, Assignment, BusMessage> value;

    bool is_watched() const noexcept { return !std::holds_alternative<BusMessage>(value); }
    /// Of one that is watched.
    Collection collection() const noexcept { return static_cast<Collection>(value.index()); }
    std::string_view key() const
    {
        return std::visit([](const auto& record) { return record.id.view(); }, value);
    }
};

} // namespace coordination
