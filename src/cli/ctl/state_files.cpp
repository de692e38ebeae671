#include "cli/ctl/state_files.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/ctl/table.hpp"
#include "cli/ctl/text.hpp"
#include "core/json/write.hpp"
#include "persist/directory_lock.hpp"
#include "persist/posix_disk.hpp"
#include "persist/wal/changes.hpp"
#include "persist/wal/inspect.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;

namespace {

using Kind = Sight::Kind;

struct Place {
    DirectoryLock snapshot;
    DirectoryLock log;
};

tl::expected<Place, Failure> take(Disk& disk, const StatePaths& paths)
{
    const auto snapshot_there = disk.exists(paths.snapshot);
    const auto segments = list_segments(disk, paths.log);
    if (!snapshot_there || !segments)
        return tl::unexpected(
            wrong_usage((snapshot_there ? segments.error() : snapshot_there.error()).text()));
    if (!*snapshot_there && segments->empty())
        return tl::unexpected(wrong_usage(fmt::format("there is no state in {}: neither {} nor {}.00000001 …",
                                                      directory_of(paths.log), paths.snapshot, paths.log)));
    auto snapshot = DirectoryLock::take(disk, paths.snapshot);
    if (!snapshot)
        return tl::unexpected(Failure{.message = std::move(snapshot.error())});
    auto log = DirectoryLock::take(disk, paths.log);
    if (!log)
        return tl::unexpected(Failure{.message = std::move(log.error())});
    return Place{std::move(*snapshot), std::move(*log)};
}

/// The records of one file that follow each other, told as one.
class Summary {
public:
    void see(const Sight& sight)
    {
        if (sight.kind != Kind::record) {
            lines_.push_back(
                {sight.kind, sight.file, sight.offset, sight.first, sight.last, sight.bytes, 0, sight.what});
        } else if (!lines_.empty() && lines_.back().kind == Kind::record &&
                   lines_.back().file == sight.file) {
            lines_.back().last = sight.last;
            lines_.back().bytes += sight.bytes;
            ++lines_.back().records;
        } else {
            lines_.push_back(
                {Kind::record, sight.file, sight.offset, sight.first, sight.last, sight.bytes, 1, {}});
        }
    }

    std::string text(const Style& style) const;
    std::string json(const Inspection& inspection) const;

private:
    struct Line {
        Kind kind;
        std::string file;
        std::size_t offset;
        Revision first;
        Revision last;
        std::size_t bytes;
        std::size_t records;
        std::string what;
    };

    static std::string told(const Line& line);

    std::vector<Line> lines_;
};

std::string_view name_of(Kind kind)
{
    switch (kind) {
    case Kind::snapshot:
        return "snapshot";
    case Kind::segment:
        return "segment";
    case Kind::record:
        return "records";
    case Kind::void_rest:
        return "void";
    case Kind::torn:
        return "torn";
    case Kind::damage:
        return "damage";
    }
    __builtin_unreachable();
}

std::string Summary::told(const Line& line)
{
    switch (line.kind) {
    case Kind::snapshot:
        return fmt::format("at revision {}: {}", line.last, line.what);
    case Kind::segment:
        if (line.first == line.last)
            return fmt::format("goes on from revision {}, {}", line.last, line.what);
        return fmt::format("goes on from revision {} at {}, {}", line.first, line.last, line.what);
    case Kind::record:
        return fmt::format("revisions {} to {} in {} records, {} bytes from byte {} on", line.first,
                           line.last, line.records, line.bytes, line.offset);
    case Kind::void_rest:
        return fmt::format("{} bytes from byte {} on are {}", line.bytes, line.offset, line.what);
    case Kind::torn:
        return fmt::format("{} bytes from byte {} on are torn: the next start cuts them off", line.bytes,
                           line.offset);
    case Kind::damage:
        return fmt::format("{} bytes from byte {} on: {}", line.bytes, line.offset, line.what);
    }
    __builtin_unreachable();
}

std::string Summary::text(const Style& style) const
{
    Table table({{"FILE"}, {"KIND"}, {"WHAT"}});
    for (const auto& line : lines_)
        table.add({printable(line.file), std::string(name_of(line.kind)), printable(told(line))});
    return table.render(style, 0);
}

std::string Summary::json(const Inspection& inspection) const
{
    std::string out;
    json::ObjectWriter writer(out);
    writer.boolean("good", inspection.fault.empty())
        .number("revision", inspection.revision)
        .number("workers", inspection.workers)
        .number("tasks", inspection.tasks);
    if (!inspection.fault.empty())
        writer.string("fault", inspection.fault);
    writer.name("found");
    out += '[';
    for (const auto& line : lines_) {
        out += &line == lines_.data() ? "" : ",";
        json::ObjectWriter(out)
            .string("file", line.file)
            .string("kind", name_of(line.kind))
            .number("offset", line.offset)
            .number("bytes", line.bytes)
            .number("first", line.first)
            .number("last", line.last)
            .number("records", line.records)
            .string("what", line.what)
            .close();
    }
    out += ']';
    writer.close();
    return out;
}

/// The collection and what was done to it.
std::pair<std::string_view, std::string_view> told(LoggedKind kind)
{
    switch (kind) {
    case LoggedKind::worker:
        return {"workers", "set"};
    case LoggedKind::worker_end:
        return {"workers", "delete"};
    case LoggedKind::task:
        return {"tasks", "set"};
    case LoggedKind::task_end:
        return {"tasks", "delete"};
    case LoggedKind::message:
        return {"messages", "set"};
    case LoggedKind::message_end:
        return {"messages", "delete"};
    case LoggedKind::message_settled:
        return {"messages", "settle"};
    }
    __builtin_unreachable();
}

std::string change_line(const Sight& sight, const LoggedChange& change)
{
    const auto [collection, operation] = told(change.kind);
    std::string out;
    json::ObjectWriter writer(out);
    writer.number("revision", change.revision)
        .string("file", sight.file)
        .number("offset", sight.offset)
        .string("collection", collection)
        .string("operation", operation);
    if (operation == "delete")
        writer.string("id", change.text);
    else
        writer.raw("value", change.text);
    writer.close();
    return out;
}

std::string sight_line(const Sight& sight)
{
    std::string out;
    json::ObjectWriter(out)
        .string(name_of(sight.kind), sight.what)
        .string("file", sight.file)
        .number("offset", sight.offset)
        .number("bytes", sight.bytes)
        .number("revision", sight.last)
        .close();
    return out;
}

void dump(const Output& out, const Sight& sight)
{
    if (sight.kind != Kind::record) {
        out.json(sight_line(sight));
        return;
    }
    LoggedChanges changes(sight.payload, sight.first, sight.last);
    while (const auto change = changes.next())
        out.json(change_line(sight, *change));
}

} // namespace

asio::awaitable<Outcome> state_verify(ContextPtr context, StatePaths paths)
{
    PosixDisk disk;
    const auto place = take(disk, paths);
    if (!place)
        co_return tl::unexpected(place.error());
    Summary summary;
    const auto found =
        inspect_state(disk, paths, Limits{}, [&summary](const Sight& sight) { summary.see(sight); });
    if (context->settings.json) {
        context->out.json(summary.json(found));
    } else {
        context->out.write(summary.text(context->out.style()));
        if (found.fault.empty())
            context->out.line(fmt::format("good at revision {}: workers {}, tasks {}", found.revision,
                                          found.workers, found.tasks));
    }
    if (!found.fault.empty())
        co_return tl::unexpected(Failure{.message = found.fault});
    co_return Outcome{};
}

asio::awaitable<Outcome> state_dump(ContextPtr context, StatePaths paths)
{
    PosixDisk disk;
    const auto place = take(disk, paths);
    if (!place)
        co_return tl::unexpected(place.error());
    const auto found =
        inspect_state(disk, paths, Limits{}, [&context](const Sight& sight) { dump(context->out, sight); });
    if (!found.fault.empty())
        co_return tl::unexpected(Failure{.message = found.fault});
    co_return Outcome{};
}

asio::awaitable<Outcome> state_repair(ContextPtr context, StatePaths paths)
{
    PosixDisk disk;
    const auto place = take(disk, paths);
    if (!place)
        co_return tl::unexpected(place.error());
    const auto repair = repair_state(disk, paths, Limits{});
    if (!repair)
        co_return tl::unexpected(Failure{.message = repair.error()});
    for (const auto& note : repair->notes)
        context->out.line(printable(note));
    context->out.line(
        repair->needed
            ? fmt::format("repaired: what was up to revision {} is there", repair->revision)
            : fmt::format("nothing to repair: the state is good up to revision {}", repair->revision));
    co_return Outcome{};
}

} // namespace coordination::ctl
