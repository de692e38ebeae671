#pragma once

#include "core/bus/message.hpp"
#include "core/store/records.hpp"
#include "persist/snapshot/format.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace coordination {

/// Turns rows into the text of a snapshot, a slice at a time. Order of calls: each add(Worker), each
/// add(Task), each add(BusMessage), all in the order of their ordinals (as a FrozenView hands them out),
/// finish() until it returns false; take() at any time.
///
/// Threads  One at a time. add() reads a row and belongs where the row lives (the store's strand); finish()
///          needs only what add() has kept, and may run elsewhere.
class SnapshotWriter {
public:
    explicit SnapshotWriter(const SnapshotHeader& header);

    void add(const Worker& worker);
    void add(const Task& task);
    void add(const BusMessage& message);
    /// Writes what follows from the rows, at most `rows_max` of it. False when the text is complete.
    bool finish(std::size_t rows_max);

    /// Bytes that take() would hand out.
    std::size_t waiting() const noexcept { return text_.size(); }
    /// The text since the last call. All of it in order, handed to a SnapshotFile, is a snapshot.
    std::string take();

private:
    enum class Section { workers, tasks, messages, assignments, worker_tasks, complete };
    struct Lease {
        TaskId task;
        WorkerId worker;
    };

    void enter(Section section);
    /// Begins a row, on a line of its own.
    void begin_row(const Text& id);
    void close_section();
    std::size_t append_assignments(std::size_t rows_max);
    std::size_t append_worker_tasks(std::size_t rows_max);

    SnapshotHeader header_;
    std::string text_;
    Section section_ = Section::workers;
    bool first_row_ = true;
    std::vector<Lease> leases_;
    std::size_t done_ = 0; ///< leases that the present section has behind it
};

} // namespace coordination
