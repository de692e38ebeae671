#pragma once

#include "core/store/state_store.hpp"
#include "persist/snapshot/row_reader.hpp"

#include <tl/expected.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace coordination {

// The payload of a record, entries back to back, all numbers little-endian:
//
//     kind u8 | revision u32, counted from the record's first | length u32 | text
//
// Kinds: 1 a worker, 2 a task, 5 a message, as append_row() writes them; 3 a worker's end, 4 a task's, 6 a
// message's, the text being the id; 7 a receiver needs nothing more of a message that others have still to
// get: a JSON array of the message's id and the receiver's. Assignments are not written: they follow from the
// tasks, and so some revisions have no entry.

/// One record for these changes of whole transactions, oldest first; it still lacks its checksum.
void append_record_of(std::string& out, std::span<const Change> changes);

enum class LoggedKind : std::uint8_t {
    worker = 1,
    task = 2,
    worker_end = 3,
    task_end = 4,
    message = 5,
    message_end = 6,
    message_settled = 7,
};

struct LoggedChange {
    LoggedKind kind{};
    Revision revision = 0;
    std::string_view text;
};

/// Walks over the entries of a payload.
class LoggedChanges {
public:
    LoggedChanges(std::string_view payload, Revision first, Revision last) noexcept
        : rest_(payload),
          first_(first),
          last_(last)
    {
    }

    /// None at the end, and where what follows is no entry: then malformed() is true.
    std::optional<LoggedChange> next() noexcept;
    bool malformed() const noexcept { return malformed_; }

private:
    std::string_view rest_;
    Revision first_;
    Revision last_;
    Revision told_ = 0; ///< the revision of the entry before
    bool malformed_ = false;
};

/// Repeats logged changes on a store. Each is checked against the state before it is written, so that no
/// record, however it came to be, can break the store.
class Replay {
public:
    explicit Replay(StateStore& store) : store_(store), rows_(store.capabilities()) {}

    /// All of one record, whose first revision follows the store's. After an error, a few words that say what
    /// is wrong, part of it may have been written.
    tl::expected<void, std::string> apply(std::string_view payload, Revision first, Revision last);

    /// Whether what the workers tell of their tasks agrees with the tasks. True after each whole transaction.
    tl::expected<void, std::string> check() const;

private:
    using Step = tl::expected<void, std::string>;

    Step apply(const LoggedChange& change);
    Step write_worker(const LoggedChange& change);
    Step write_task(const LoggedChange& change);
    Step end_worker(const LoggedChange& change);
    Step end_task(const LoggedChange& change);
    Step write_message(const LoggedChange& change);
    Step end_message(const LoggedChange& change);
    Step settle_message(const LoggedChange& change);
    Step check_lease(const Task& task, Revision revision) const;

    StateStore& store_;
    RowReader rows_;
};

} // namespace coordination
