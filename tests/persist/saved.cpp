#include "persist/saved.hpp"

#include "persist/faulty_disk.hpp"
#include "persist/snapshot/checksum.hpp"
#include "persist/snapshot/snapshot_file.hpp"
#include "persist/snapshot/snapshot_writer.hpp"

#include <stdexcept>

namespace coordination::testing {

DiskResult<void> save(Disk& disk, FrozenView& view, std::size_t rows_max,
                      const std::function<void()>& between)
{
    SnapshotWriter writer({view.revision(), saved_at, view.totals()});
    SnapshotFile file(disk, snapshot_path);
    const auto add = [&writer](const auto& row) { writer.add(row); };
    for (bool more = true; more;) {
        more = view.workers.next(rows_max, add) || view.tasks.next(rows_max, add) ||
               view.messages.next(rows_max, add) || writer.finish(rows_max);
        const auto written = file.write(writer.take());
        if (!written)
            return written;
        between();
    }
    return file.commit();
}

DiskResult<void> save(Disk& disk, StateStore& store, std::size_t rows_max)
{
    FrozenView view(store);
    return save(disk, view, rows_max);
}

std::string snapshot_of(StateStore& store)
{
    FaultyDisk disk;
    if (!save(disk, store))
        throw std::logic_error("the disk works");
    return *disk.content(snapshot_path);
}

Loaded load_text(const std::string& text, StateStore& store)
{
    FaultyDisk disk;
    disk.put(snapshot_path, text);
    return load_snapshot(disk, snapshot_path, Limits{}, store);
}

std::string sealed(std::string text)
{
    text.resize(text.rfind("\"checksum\":"));
    Checksum checksum;
    checksum.add(text);
    return text + R"("checksum":")" + checksum.text() + "\"}\n";
}

std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const auto at = text.find(what);
    if (at == std::string::npos)
        throw std::logic_error("no " + std::string(what) + " in the text");
    return text.replace(at, what.size(), with);
}

} // namespace coordination::testing
