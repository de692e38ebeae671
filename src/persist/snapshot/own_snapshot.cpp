#include "persist/snapshot/own_snapshot.hpp"

#include "core/json/slice.hpp"
#include "persist/snapshot/damage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace coordination {
namespace {

/// Deeper than anything that the wire lets in.
constexpr std::size_t depth_max = 1024;

std::string_view without_line_end(std::string_view line) noexcept
{
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    return line;
}

std::string_view without_comma(std::string_view line) noexcept
{
    if (line.ends_with(','))
        line.remove_suffix(1);
    return line;
}

/// Behind the closing quote of the string that `text` begins with; npos where there is none.
std::size_t end_of_string(std::string_view text) noexcept
{
    if (!text.starts_with('"'))
        return std::string_view::npos;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return std::string_view::npos;
}

} // namespace

tl::expected<LoadedSnapshot, std::string> OwnSnapshot::load()
{
    return read_header()
        .and_then([this] { return read_rows(snapshot_format::workers, &OwnSnapshot::read_worker); })
        .and_then([this] { return read_rows(snapshot_format::tasks, &OwnSnapshot::read_task); })
        .and_then([this] { return read_messages(); })
        .and_then([this] { return skip_rows(snapshot_format::assignments); })
        .and_then([this] { return skip_rows(snapshot_format::worker_tasks); })
        .and_then([this] { return read_totals(); })
        .and_then([this] { return expect(snapshot_format::timestamps); })
        .and_then([this] { return read_checksum(); })
        .and_then([this] { return restore_leases(); })
        .map([this] { return std::move(loaded_); });
}

tl::unexpected<std::string> OwnSnapshot::damage(const std::string& what) const
{
    return tl::unexpected(
        damaged(path_, fmt::format("line {} (byte {}): {}", lines_.number(), lines_.offset(), what)));
}

OwnSnapshot::Step OwnSnapshot::advance()
{
    checksum_.add(lines_.line());
    const auto more = lines_.next();
    if (!more)
        return tl::unexpected(more.error().text());
    if (!*more)
        return damage("the file ends too early");
    return {};
}

OwnSnapshot::Step OwnSnapshot::expect(std::string_view text) const
{
    if (without_line_end(lines_.line()) == text)
        return {};
    return damage(fmt::format("expected {}", text));
}

OwnSnapshot::Step OwnSnapshot::read_header()
{
    const std::string object = std::string(without_comma(without_line_end(lines_.line()))) + "}";
    if (!json::validate(object, depth_max))
        return damage("the first line is not what a snapshot begins with");
    json::Members members(object);
    while (const auto member = members.next())
        fields_.add(member->key, member->value);

    if (fields_.string("format") != snapshot_format::name)
        return damage("the format is unknown");
    const auto version = json::integer_in(fields_.raw("version"));
    if (!version || *version < 1)
        return damage("the format's version is not a number");
    if (*version > snapshot_format::version)
        return tl::unexpected(
            fmt::format("cannot load {}: its format has version {}, and this daemon reads versions up to {}: "
                        "start the daemon that wrote it, or a newer one",
                        path_, *version, snapshot_format::version));
    version_ = *version;
    loaded_.header.revision = fields_.number<Revision>("revision");
    loaded_.header.saved_at = fields_.time("savedAt");
    return check_fields().and_then([this] { return advance(); });
}

/// A section from its title to its end, handing each row to `read`.
OwnSnapshot::Step OwnSnapshot::read_rows(std::string_view title, Step (OwnSnapshot::*read)(const Row&))
{
    auto step = expect(title).and_then([this] { return advance(); });
    last_ordinal_ = 0;
    while (step && without_line_end(lines_.line()) != snapshot_format::end_of_rows) {
        const auto next = row();
        if (!next)
            return tl::unexpected(next.error());
        step = (this->*read)(*next).and_then([this] { return advance(); });
    }
    return step.and_then([this] { return advance(); });
}

/// What follows from the tasks is taken from them.
OwnSnapshot::Step OwnSnapshot::skip_rows(std::string_view title)
{
    auto step = expect(title);
    while (step && without_line_end(lines_.line()) != snapshot_format::end_of_rows)
        step = advance();
    return step.and_then([this] { return advance(); });
}

tl::expected<OwnSnapshot::Row, std::string> OwnSnapshot::row() const
{
    const auto line = without_comma(without_line_end(lines_.line()));
    const auto id_end = end_of_string(line);
    if (id_end == std::string_view::npos || id_end + 1 >= line.size() || line[id_end] != ':')
        return damage("not a row");
    return Row{line.substr(0, id_end), line.substr(id_end + 1)};
}

OwnSnapshot::Step OwnSnapshot::check_fields() const
{
    if (fields_.wrong().empty())
        return {};
    return damage(fmt::format("the value of \"{}\" is of the wrong kind", fields_.wrong()));
}

/// Its value has been read.
OwnSnapshot::Step OwnSnapshot::check_id(const Row& row) const
{
    if (json::Members(row.value).next()->value == row.id)
        return {};
    return damage("a row is not that of its id");
}

OwnSnapshot::Step OwnSnapshot::check_ordinal(Revision ordinal)
{
    if (ordinal <= last_ordinal_ || ordinal > loaded_.header.revision)
        return damage("the rows are not in order");
    last_ordinal_ = ordinal;
    return {};
}

OwnSnapshot::Step OwnSnapshot::read_worker(const Row& row)
{
    auto worker = reader_.worker(row.value);
    if (!worker)
        return damage(worker.error());
    worker->active_tasks = 0; // counted from the tasks
    auto checked = check_id(row).and_then([&] { return check_ordinal(worker->ordinal); });
    if (!checked)
        return checked;
    if (!worker_at_.emplace(worker->id.view(), workers_.size()).second)
        return damage("the worker is in the file twice");
    workers_.push_back(std::move(*worker));
    ++loaded_.workers;
    return {};
}

OwnSnapshot::Step OwnSnapshot::read_task(const Row& row)
{
    auto task = reader_.task(row.value);
    if (!task)
        return damage(task.error());
    auto checked = check_id(row).and_then([&] { return check_ordinal(task->ordinal); }).and_then([&] {
        return take_lease(*task);
    });
    if (!checked)
        return checked;
    if (store_.tasks().find(task->id.view()))
        return damage("the task is in the file twice");
    store_.restore(std::move(*task));
    ++loaded_.tasks;
    return {};
}

OwnSnapshot::Step OwnSnapshot::read_messages()
{
    if (version_ < snapshot_format::version_with_messages)
        return {};
    return read_rows(snapshot_format::messages, &OwnSnapshot::read_message);
}

OwnSnapshot::Step OwnSnapshot::read_message(const Row& row)
{
    auto message = reader_.message(row.value);
    if (!message)
        return damage(message.error());
    auto checked = check_id(row).and_then([&] { return check_ordinal(message->ordinal); });
    if (!checked)
        return checked;
    if (store_.messages().find(message->id.view()))
        return damage("the message is in the file twice");
    store_.restore(std::move(*message));
    return {};
}

OwnSnapshot::Step OwnSnapshot::take_lease(const Task& task)
{
    if (!is_held(task.status))
        return {};
    const auto holder = worker_at_.find(task.assigned_to.view());
    if (holder == worker_at_.end())
        return damage("the task is held by a worker that is not in the file");
    if (task.fence == 0 || task.fence > loaded_.header.revision || task.attempt == 0)
        return damage("the task is held without an attempt or a fence");
    ++workers_[holder->second].active_tasks;
    leases_.push_back({task.id, task.assigned_to, task.attempt, task.fence, task.assigned_at});
    return {};
}

OwnSnapshot::Step OwnSnapshot::read_totals()
{
    const auto line = without_comma(without_line_end(lines_.line()));
    if (!line.starts_with(snapshot_format::metadata))
        return damage("expected the metadata");
    const auto object = line.substr(snapshot_format::metadata.size());
    if (!json::validate(object, depth_max) || json::kind_of(object) != json::Kind::object)
        return damage("the metadata is not a JSON object");
    fields_.clear();
    json::Members members(object);
    while (const auto member = members.next())
        fields_.add(member->key, member->value);
    loaded_.header.totals.processed = fields_.number<std::uint64_t>("totalTasksProcessed");
    loaded_.header.totals.failed = fields_.number<std::uint64_t>("totalTasksFailed");
    return check_fields().and_then([this] { return advance(); });
}

/// Stands on the line before it.
OwnSnapshot::Step OwnSnapshot::read_checksum()
{
    auto step = advance();
    if (!step)
        return step;
    if (lines_.line() != "\"checksum\":\"" + checksum_.text() + "\"}\n")
        return damage("the checksum is not that of the file's content: it is damaged, cut or edited");
    const auto more = lines_.next();
    if (!more)
        return tl::unexpected(more.error().text());
    if (*more)
        return damage("there is more after the end");
    return {};
}

/// The workers now know how many tasks they hold; an assignment needs its worker.
OwnSnapshot::Step OwnSnapshot::restore_leases()
{
    std::ranges::sort(leases_, {}, &Assignment::ordinal);
    const auto twice = std::ranges::adjacent_find(leases_, {}, &Assignment::ordinal);
    if (twice != leases_.end())
        return tl::unexpected(
            damaged(path_, fmt::format("two tasks are held by the same fence {}", twice->ordinal)));
    for (auto& worker : workers_)
        store_.restore(std::move(worker));
    for (auto& lease : leases_)
        store_.restore(std::move(lease));
    return {};
}

} // namespace coordination
