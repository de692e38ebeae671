#include "persist/snapshot/snapshot_writer.hpp"

#include "core/json/write.hpp"
#include "persist/snapshot/row_writer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace coordination {

SnapshotWriter::SnapshotWriter(const SnapshotHeader& header) : header_(header)
{
    json::ObjectWriter writer(text_);
    writer.string("format", snapshot_format::name)
        .number("version", snapshot_format::version)
        .number("revision", header.revision)
        .number("savedAt", to_millis(header.saved_at));
    text_.append(",\n").append(snapshot_format::workers);
}

void SnapshotWriter::add(const Worker& worker)
{
    assert(section_ == Section::workers);
    begin_row(worker.id.text);
    append_row(text_, worker);
}

void SnapshotWriter::add(const Task& task)
{
    enter(Section::tasks);
    begin_row(task.id.text);
    append_row(text_, task);
    if (is_held(task.status))
        leases_.push_back({task.id, task.assigned_to});
}

void SnapshotWriter::add(const BusMessage& message)
{
    enter(Section::messages);
    begin_row(message.id.text);
    append_row(text_, message);
}

bool SnapshotWriter::finish(std::size_t rows_max)
{
    if (section_ < Section::assignments)
        enter(Section::assignments);
    while (rows_max > 0 && section_ != Section::complete) {
        rows_max -=
            section_ == Section::assignments ? append_assignments(rows_max) : append_worker_tasks(rows_max);
        if (done_ < leases_.size())
            break;
        enter(section_ == Section::assignments ? Section::worker_tasks : Section::complete);
    }
    return section_ != Section::complete;
}

std::size_t SnapshotWriter::append_assignments(std::size_t rows_max)
{
    const auto end = std::min(leases_.size(), done_ + rows_max);
    const auto rows = end - done_;
    for (; done_ < end; ++done_) {
        begin_row(leases_[done_].task.text);
        json::append_string(text_, leases_[done_].worker.view());
    }
    return rows;
}

/// The leases are sorted by worker by now.
std::size_t SnapshotWriter::append_worker_tasks(std::size_t rows_max)
{
    std::size_t rows = 0;
    while (rows < rows_max && done_ < leases_.size()) {
        const auto& worker = leases_[done_].worker;
        begin_row(worker.text);
        char before = '[';
        for (; done_ < leases_.size() && leases_[done_].worker == worker; ++done_, ++rows) {
            text_ += before;
            json::append_string(text_, leases_[done_].task.view());
            before = ',';
        }
        text_ += ']';
    }
    return std::min(rows, rows_max);
}

std::string SnapshotWriter::take()
{
    std::string taken = std::exchange(text_, {});
    text_.reserve(taken.size()); // the next slice is about as large
    return taken;
}

void SnapshotWriter::begin_row(const Text& id)
{
    text_ += std::exchange(first_row_, false) ? "\n" : ",\n";
    json::append_string(text_, id.view());
    text_ += ':';
}

void SnapshotWriter::close_section()
{
    text_.append("\n").append(snapshot_format::end_of_rows).append("\n");
    first_row_ = true;
    done_ = 0;
}

/// Goes on to a section, closing those before it.
void SnapshotWriter::enter(Section section)
{
    while (section_ < section) {
        close_section();
        section_ = static_cast<Section>(static_cast<int>(section_) + 1);
        switch (section_) {
        case Section::workers:
            break;
        case Section::tasks:
            text_ += snapshot_format::tasks;
            break;
        case Section::messages:
            text_ += snapshot_format::messages;
            break;
        case Section::assignments:
            text_ += snapshot_format::assignments;
            break;
        case Section::worker_tasks:
            std::ranges::sort(leases_, {}, [](const Lease& lease) {
                return std::pair(lease.worker.view(), lease.task.view());
            });
            text_ += snapshot_format::worker_tasks;
            break;
        case Section::complete:
            text_ += snapshot_format::metadata;
            json::ObjectWriter(text_)
                .number("totalTasksProcessed", header_.totals.processed)
                .number("totalTasksFailed", header_.totals.failed)
                .close();
            text_.append(",\n").append(snapshot_format::timestamps).append("\n");
            break;
        }
    }
}

} // namespace coordination
