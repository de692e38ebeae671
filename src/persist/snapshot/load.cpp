#include "persist/snapshot/load.hpp"

#include "persist/snapshot/damage.hpp"
#include "persist/snapshot/line_reader.hpp"
#include "persist/snapshot/original_snapshot.hpp"
#include "persist/snapshot/own_snapshot.hpp"
#include "persist/snapshot/snapshot_file.hpp"

#include <cassert>
#include <cerrno>

namespace coordination {
namespace {

/// All of the file, whose first line was read.
DiskResult<std::string> rest_of(LineReader& lines)
{
    std::string text(lines.line());
    for (;;) {
        const auto more = lines.next();
        if (!more)
            return tl::unexpected(more.error());
        if (!*more)
            return text;
        text += lines.line();
    }
}

tl::expected<LoadedSnapshot, std::string> load(File& file, const std::string& path, const Limits& limits,
                                               StateStore& store)
{
    LineReader lines(file);
    const auto first = lines.next();
    if (!first)
        return tl::unexpected(first.error().text());
    if (!*first)
        return tl::unexpected(damaged(path, "it is empty"));
    if (lines.line().starts_with(snapshot_format::signature))
        return OwnSnapshot(lines, path, store).load();
    const auto text = rest_of(lines);
    if (!text)
        return tl::unexpected(text.error().text());
    return load_original(*text, path, limits, store);
}

} // namespace

tl::expected<std::optional<LoadedSnapshot>, std::string>
load_snapshot(Disk& disk, const std::string& path, const Limits& limits, StateStore& store)
{
    assert(store.revision() == 0 && store.workers().size() == 0 && store.tasks().size() == 0);
    static_cast<void>(disk.remove(aside_of(path))); // the next snapshot overwrites it otherwise
    auto file = disk.open(path, OpenMode::read);
    if (!file) {
        if (file.error().code == ENOENT)
            return std::nullopt;
        return tl::unexpected(file.error().text());
    }
    auto loaded = load(**file, path, limits, store);
    if (!loaded)
        return tl::unexpected(std::move(loaded.error()));
    store.continue_from(loaded->header.revision);
    store.restore(loaded->header.totals);
    return std::optional(std::move(*loaded));
}

} // namespace coordination
