#include "persist/snapshot/original_snapshot.hpp"

#include "core/json/records.hpp"
#include "core/json/slice.hpp"
#include "persist/snapshot/damage.hpp"
#include "persist/snapshot/row_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace coordination {
namespace {

constexpr std::size_t depth_max = 1024;

/// Appends a JSON value without the white space between its tokens.
void append_compact(std::string& out, std::string_view value)
{
    bool in_string = false;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const char c = value[at];
        if (in_string && c == '\\') {
            out += c;
            out += value[++at];
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        if (in_string || (c != ' ' && c != '\n' && c != '\r' && c != '\t'))
            out += c;
    }
}

/// Counts what had to be settled, so that a thousand tasks of one kind make one note.
class Note {
public:
    void add(std::string_view row, std::string_view detail = {})
    {
        if (count_++ == 0)
            first_ = detail.empty() ? std::string(row) : fmt::format("{}: {}", row, detail);
    }
    void tell(std::string_view what, std::vector<std::string>& notes) const
    {
        if (count_ > 0)
            notes.push_back(on_one_line(fmt::format("{} {} (first: {})", count_, what, first_)));
    }

private:
    std::size_t count_ = 0;
    std::string first_;
};

/// Places of rows by id; the keys point into the rows' ids.
using Places = std::unordered_map<std::string_view, std::size_t>;

/// Of a name that is there twice, the last counts, in the place of the first: so JavaScript reads it.
template <class Record>
void keep(Record fresh, std::vector<Record>& rows, Places& places)
{
    const auto [place, added] = places.try_emplace(fresh.id.view(), rows.size());
    if (added) {
        rows.push_back(std::move(fresh));
    } else {
        auto& row = rows[place->second];
        fresh.id = row.id; // the key points into it
        row = std::move(fresh);
    }
}

class Original {
public:
    using Step = tl::expected<void, std::string>;

    Original(const std::string& path, const Limits& limits, StateStore& store)
        : path_(path),
          limits_(limits),
          store_(store),
          decoder_(store.capabilities())
    {
    }

    Step find_collections(std::string_view text);
    Step read_workers();
    Step read_assignments();
    Step read_tasks();
    LoadedSnapshot restore();

private:
    struct Collection {
        std::string_view name;
        std::string_view object = "{}";
    };

    tl::unexpected<std::string> damage(std::string_view what) const
    {
        return tl::unexpected(damaged(path_, what));
    }
    Step read_row(std::string_view collection, const json::Member& row, Text& id);
    Worker worker(Text id);
    Task task(Text id);
    void settle_status(Task& task, const std::string& status);
    void settle_age(Task& task);
    void read_totals(SnapshotHeader& header);

    const std::string& path_;
    const Limits& limits_;
    StateStore& store_;
    RowDecoder decoder_;

    Collection workers_{"workers"};
    Collection tasks_{"tasks"};
    Collection assignments_{"assignments"};
    Collection metadata_{"metadata"};
    Timestamp saved_at_{};

    // Of the present row. `compact_` holds the texts that `fields_` points to.
    RowFields fields_;
    std::vector<std::string> compact_;
    std::string payload_;

    std::vector<Worker> worker_rows_;
    std::vector<Task> task_rows_;
    Places worker_at_;
    Places task_at_;
    std::unordered_map<std::string, std::string> holders_; ///< by task, as `assignments` has them
    Revision highest_fence_ = 0;

    Note unknown_status_;
    Note no_worker_;
    Note wrong_field_;
};

Original::Step Original::find_collections(std::string_view text)
{
    if (const auto valid = json::validate(text, depth_max); !valid)
        return damage(fmt::format("not JSON at byte {}: {}", valid.error().offset, valid.error().what));
    text = json::trimmed(text);
    if (json::kind_of(text) != json::Kind::object)
        return damage("it is not a JSON object");
    const std::array collections{&workers_, &tasks_, &assignments_, &metadata_};
    constexpr std::array<std::string_view, 4> ours{"format", "version", "revision", "checksum"};
    bool has_rows = false;
    json::Members members(text);
    while (const auto member = members.next()) {
        const auto named = [&member](std::string_view name) { return member->named(name); };
        if (std::ranges::any_of(ours, named))
            return damage("it was written by this daemon and changed since");
        if (member->named("snapshot_timestamp"))
            saved_at_ = time_in(member->value).value_or(Timestamp{});
        const auto place =
            std::ranges::find_if(collections, named, [](const Collection* c) { return c->name; });
        if (place == collections.end())
            continue;
        if (json::kind_of(member->value) != json::Kind::object)
            return damage(fmt::format("\"{}\" is not an object", (*place)->name));
        (*place)->object = member->value;
        has_rows = has_rows || *place == &workers_ || *place == &tasks_;
    }
    if (!has_rows)
        return damage("it has neither workers nor tasks, so it is no snapshot");
    return {};
}

/// Leaves the row's owned members in `fields_`, the others in `payload_`.
Original::Step Original::read_row(std::string_view collection, const json::Member& row, Text& id)
{
    const auto name = json::unescaped(row.key);
    if (name.empty() || json::kind_of(row.value) != json::Kind::object)
        return damage(fmt::format("\"{}\" in \"{}\" is not an object with a name", name, collection));
    id = Text(name);
    fields_.clear();
    compact_.clear();
    payload_.clear();
    std::size_t count = 0;
    for (json::Members counted(row.value); counted.next();)
        ++count;
    compact_.reserve(count); // the views into it must stay
    json::Members members(row.value);
    while (const auto member = members.next()) {
        auto& compact = compact_.emplace_back();
        append_compact(compact, member->value);
        const auto key = json::unescaped(member->key);
        const bool hidden =
            key == "_" && compact.starts_with(R"({"ordinal":)"); // ours, carried along by the original
        if (hidden)
            continue;
        fields_.add(member->key, compact);
        if (!json::owns_task_field(key))
            payload_.append(payload_.empty() ? "\"" : ",\"")
                .append(member->key)
                .append("\":")
                .append(compact);
    }
    return {};
}

Worker Original::worker(Text id)
{
    Worker worker = decoder_.worker(fields_, std::move(id));
    if (worker.subscriptions.view() == R"(["*"])") {
        // The original's default for a worker that never subscribed.
        worker.subscriptions = Text{};
        worker.topics = 0;
    }
    return worker;
}

Original::Step Original::read_workers()
{
    json::Members rows(workers_.object);
    while (const auto row = rows.next()) {
        Text id;
        const auto read = read_row(workers_.name, *row, id);
        if (!read)
            return read;
        Worker fresh = worker(std::move(id));
        if (!fields_.wrong().empty())
            wrong_field_.add(fresh.id.view(), fields_.wrong());
        keep(std::move(fresh), worker_rows_, worker_at_);
    }
    return {};
}

/// A worker's id, or an object that names it.
Original::Step Original::read_assignments()
{
    json::Members rows(assignments_.object);
    while (const auto row = rows.next()) {
        auto holder = row->value;
        if (json::kind_of(holder) == json::Kind::object) {
            json::Members members(holder);
            while (const auto member = members.next())
                if (member->named("workerId"))
                    holder = member->value;
        }
        if (json::kind_of(holder) == json::Kind::string)
            holders_[json::unescaped(row->key)] = json::unquoted(holder);
    }
    return {};
}

/// What the original does not tell follows from what it does.
void Original::settle_status(Task& task, const std::string& status)
{
    if (task.assigned_to.empty())
        if (const auto holder = holders_.find(std::string(task.id.view())); holder != holders_.end())
            task.assigned_to = decoder_.worker_id(holder->second);
    if (is_held(task.status) && !worker_at_.contains(task.assigned_to.view())) {
        no_worker_.add(task.id.view(), task.assigned_to.view());
        task.status = TaskStatus::pending;
        task.reassigned_from = task.assigned_to;
        task.attempt = std::max(task.attempt, 1U);
    }
    if (task.status != TaskStatus::pending || !task.reassigned_from.empty())
        task.attempt = std::max(task.attempt, 1U);
    if (task.status == TaskStatus::pending) {
        task.assigned_to = {};
        task.progress = {};
    }
    if (!status.empty() && !task_status_named(status))
        unknown_status_.add(task.id.view(), status);
}

void Original::settle_age(Task& task)
{
    for (const auto known : {task.assigned_at, task.last_update, saved_at_})
        if (task.created_at == Timestamp{})
            task.created_at = known;
}

Task Original::task(Text id)
{
    const auto status = fields_.string("status");
    Task task =
        decoder_.task(fields_, std::move(id), task_status_named(status).value_or(TaskStatus::pending));
    task.payload = Text(payload_);
    task.required = decoder_.capabilities(fields_);
    task.crash_limit = limits_.crash_limit;
    const auto priority = fields_.raw("priority");
    if (!priority.empty() && json::kind_of(priority) == json::Kind::number)
        task.priority =
            static_cast<Priority>(std::clamp<std::int64_t>(json::integer_in(priority).value_or(2), 0, 3));
    else
        task.priority = priority_named(fields_.string("priority")).value_or(Priority::normal);
    settle_status(task, status);
    settle_age(task);
    return task;
}

Original::Step Original::read_tasks()
{
    json::Members rows(tasks_.object);
    Revision place = 0;
    while (const auto row = rows.next()) {
        Text id;
        const auto read = read_row(tasks_.name, *row, id);
        if (!read)
            return read;
        Task fresh = task(std::move(id));
        if (!fields_.wrong().empty())
            wrong_field_.add(fresh.id.view(), fields_.wrong());
        highest_fence_ = std::max(highest_fence_, fresh.fence);
        fresh.ordinal = ++place; // in the file, until all of them are in order
        keep(std::move(fresh), task_rows_, task_at_);
    }
    return {};
}

/// Ours kept there by the original, which has none of its own: then the rows are what was done.
void Original::read_totals(SnapshotHeader& header)
{
    for (const auto& task : task_rows_) {
        header.totals.processed += task.status == TaskStatus::completed ? 1 : 0;
        header.totals.failed += task.status == TaskStatus::failed ? 1 : 0;
    }
    fields_.clear();
    json::Members members(metadata_.object);
    while (const auto member = members.next())
        fields_.add(member->key, member->value);
    const auto processed = fields_.number<std::uint64_t>("totalTasksProcessed");
    const auto failed = fields_.number<std::uint64_t>("totalTasksFailed");
    header.totals.processed = std::max(header.totals.processed, processed);
    header.totals.failed = std::max(header.totals.failed, failed);
}

LoadedSnapshot Original::restore()
{
    LoadedSnapshot loaded;
    read_totals(loaded.header);
    Revision revision = highest_fence_; // fences only ever rise
    std::ranges::sort(task_rows_, {},
                      [](const Task& task) { return std::pair(task.created_at, task.ordinal); });
    for (const auto& task : task_rows_)
        if (is_held(task.status))
            ++worker_rows_[worker_at_.at(task.assigned_to.view())].active_tasks;
    for (auto& worker : worker_rows_) {
        worker.ordinal = ++revision;
        worker.idle_since = worker.ordinal;
        store_.restore(std::move(worker));
    }
    std::vector<Assignment> leases;
    for (auto& task : task_rows_) {
        task.ordinal = ++revision;
        if (is_held(task.status)) {
            task.fence = ++revision;
            leases.push_back({task.id, task.assigned_to, task.attempt, task.fence, task.assigned_at});
        }
        store_.restore(std::move(task));
    }
    for (auto& lease : leases)
        store_.restore(std::move(lease));

    loaded.workers = worker_rows_.size();
    loaded.tasks = task_rows_.size();
    loaded.header.revision = revision;
    loaded.header.saved_at = saved_at_;
    unknown_status_.tell("tasks with an unknown status wait again", loaded.notes);
    no_worker_.tell("tasks whose worker is gone wait again", loaded.notes);
    wrong_field_.tell("rows with a field of the wrong kind, which was left out", loaded.notes);
    return loaded;
}

} // namespace

tl::expected<LoadedSnapshot, std::string> load_original(std::string_view text, const std::string& path,
                                                        const Limits& limits, StateStore& store)
{
    Original original(path, limits, store);
    return original.find_collections(text)
        .and_then([&] { return original.read_workers(); })
        .and_then([&] { return original.read_assignments(); })
        .and_then([&] { return original.read_tasks(); })
        .map([&] { return original.restore(); });
}

} // namespace coordination
