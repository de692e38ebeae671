#include "fuzz/expect.hpp"
#include "fuzz/targets.hpp"

#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/snapshot/checksum.hpp"
#include "persist/snapshot/load.hpp"
#include "persist/snapshot/snapshot_file.hpp"
#include "persist/snapshot/snapshot_writer.hpp"

namespace coordination::testing {
namespace {

const std::string path = "data/state-snapshot.json";

std::string sealed(std::string_view text)
{
    Checksum checksum;
    checksum.add(text);
    return std::string(text) + R"("checksum":")" + checksum.text() + "\"}\n";
}

void save(FaultyDisk& disk, StateStore& store)
{
    FrozenView view(store);
    SnapshotWriter writer({view.revision(), Timestamp{std::chrono::milliseconds{1}}, view.totals()});
    SnapshotFile file(disk, path);
    const auto add = [&writer](const auto& row) { writer.add(row); };
    while (view.workers.next(100, add) || view.tasks.next(100, add) || view.messages.next(100, add) ||
           writer.finish(100)) {
    }
    expect(file.write(writer.take()) && file.commit(), "a snapshot can be saved");
}

} // namespace

void read_any_snapshot(std::string_view input)
{
    FaultyDisk disk;
    disk.put(path, input.starts_with('s') ? sealed(input.substr(1)) : std::string(input));
    StateStore store(Limits{});
    const auto loaded = load_snapshot(disk, path, Limits{}, store);
    if (!loaded) {
        expect(loaded.error().find('\n') == std::string::npos, "a refusal is one line");
        return;
    }
    for (const auto& note : (*loaded)->notes)
        expect(note.find('\n') == std::string::npos, "a note is one line");
    expect(recount(store, Limits{}).empty(), "the indexes of a loaded state are right");
    save(disk, store);
    StateStore again(Limits{});
    expect(load_snapshot(disk, path, Limits{}, again).has_value(), "what was loaded and saved can be loaded");
    expect(dump(again) == dump(store), "what was loaded and saved is the same");
}

} // namespace coordination::testing
