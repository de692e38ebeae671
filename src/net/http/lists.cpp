#include "net/http/lists.hpp"

#include "core/json/records.hpp"
#include "net/wire/errors.hpp"

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

constexpr std::size_t slice_rows_max = 500;     ///< written in one hold of the strand
constexpr std::size_t slice_visits_max = 4'000; ///< looked at
constexpr std::size_t slice_bytes_max = 256 << 10;
constexpr std::uint64_t limit_max = 10'000;
constexpr std::size_t state_reads_max = 64; ///< each may keep what was replaced since it began

void append_row(std::string& out, const Worker& worker)
{
    json::append_worker(out, worker);
}
void append_row(std::string& out, const Task& task)
{
    json::append_task(out, task);
}

template <class Record>
struct Kind;
template <>
struct Kind<Worker> {
    static constexpr std::string_view collection = "workers";
    static constexpr std::string_view statuses = "idle, busy, offline or draining";
    static auto status_named(std::string_view name) { return worker_status_named(name); }
    static auto status_of(const Worker& worker) { return worker.status(); }
    static const CapabilitySet& capabilities_of(const Worker& worker) { return *worker.capabilities; }
    static const auto& rows(const StateStore& state) { return state.workers().rows(); }
};
template <>
struct Kind<Task> {
    static constexpr std::string_view collection = "tasks";
    static constexpr std::string_view statuses =
        "pending, assigned, in_progress, completed, failed or cancelled";
    static auto status_named(std::string_view name) { return task_status_named(name); }
    static auto status_of(const Task& task) { return task.status; }
    static const CapabilitySet& capabilities_of(const Task& task) { return *task.required; }
    static const auto& rows(const StateStore& state) { return state.tasks().rows(); }
};

std::optional<std::uint64_t> natural_in(std::string_view text) noexcept
{
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// A walk over the rows that a query asks for, in the order of their creation.
template <class Record>
class ListWalk {
public:
    static tl::expected<ListWalk, Error> from(const Target& target)
    {
        ListWalk walk;
        if (const auto status = target.query_value("status"); !status.empty()) {
            walk.status_ = Kind<Record>::status_named(status);
            if (!walk.status_)
                return tl::unexpected(invalid_field("status", Kind<Record>::statuses));
        }
        walk.capability_ = target.query_value("capability");
        if (const auto limit = target.query_value("limit"); !limit.empty()) {
            const auto rows = natural_in(limit);
            if (!rows || *rows == 0 || *rows > limit_max)
                return tl::unexpected(invalid_field("limit", "an integer from 1 to 10000"));
            walk.rows_left_ = *rows;
        }
        if (const auto cursor = target.query_value("cursor"); !cursor.empty()) {
            const auto after = natural_in(cursor);
            if (!after)
                return tl::unexpected(invalid_field("cursor", "the nextCursor of an earlier reply"));
            walk.after_ = *after;
        }
        return walk;
    }

    /// Appends the next slice of the reply. False when that was the last.
    bool step(const StateStore& state, std::string& out)
    {
        if (std::exchange(first_, false))
            out.append("{\"").append(Kind<Record>::collection).append("\":[");
        const auto& rows = Kind<Record>::rows(state);
        std::size_t visits = 0;
        std::size_t written = 0;
        for (auto row = rows.upper_bound(after_); row != rows.end(); ++row) {
            if (++visits > slice_visits_max || written >= slice_rows_max || out.size() >= slice_bytes_max)
                return true;
            if (!wants(row->second)) {
                after_ = row->first;
                continue;
            }
            if (rows_left_ == 0)
                return end(out, true);
            if (std::exchange(any_, true))
                out += ',';
            append_row(out, row->second);
            --rows_left_;
            ++written;
            after_ = last_ = row->first;
        }
        return end(out, false);
    }

private:
    bool wants(const Record& record) const
    {
        return (!status_ || Kind<Record>::status_of(record) == *status_) &&
               (capability_.empty() || Kind<Record>::capabilities_of(record).contains(capability_));
    }

    bool end(std::string& out, bool more_follows) const
    {
        out += ']';
        if (more_follows)
            out.append(",\"nextCursor\":\"").append(std::to_string(last_)).append("\"");
        out += '}';
        return false;
    }

    decltype(Kind<Record>::status_named({})) status_;
    std::string capability_;
    std::uint64_t rows_left_ = std::numeric_limits<std::uint64_t>::max();
    Revision after_ = 0; ///< rows up to here were visited
    Revision last_ = 0;  ///< the last one that was written
    bool first_ = true;
    bool any_ = false;
};

template <class Record>
asio::awaitable<void> send_list(Coordinator* coordinator, ListWalk<Record> walk, ResponseWriter* out)
{
    bool more = true;
    bool going = true;
    while (more && going) {
        std::string body;
        const std::function<void(const StateStore&)> look = [&](const StateStore& state) {
            more = walk.step(state, body);
        };
        co_await coordinator->read(look);
        going = co_await out->piece(body, !more);
    }
}

template <class Record>
Answer list(const RoutedRequest& request)
{
    auto walk = ListWalk<Record>::from(request.target);
    if (!walk)
        return failure_response(walk.error());
    return [coordinator = &request.context.coordinator, walk = std::move(*walk)](ResponseWriter* out) {
        return send_list(coordinator, walk, out);
    };
}

/// `GET /api/state` from a frozen view: workers, tasks and, gathered on the way, who holds which.
class StateWalk {
public:
    explicit StateWalk(std::shared_ptr<FrozenView> view) noexcept : view_(std::move(view)) {}

    bool step(std::string& out)
    {
        for (std::size_t rows = 0; rows < slice_rows_max && out.size() < slice_bytes_max; ++rows) {
            switch (part_) {
            case Part::begin:
                out += R"({"workers":[)";
                part_ = Part::workers;
                break;
            case Part::workers:
                if (!view_->workers.next(1, [&](const Worker& worker) { add(out, worker); }))
                    begin_tasks(out);
                break;
            case Part::tasks:
                if (!view_->tasks.next(1, [&](const Task& task) { add(out, task); }))
                    return end(out);
                break;
            }
        }
        return true;
    }

private:
    enum class Part : std::uint8_t { begin, workers, tasks };

    void add(std::string& out, const Worker& worker)
    {
        if (workers_++ > 0)
            out += ',';
        json::append_worker(out, worker);
    }

    void begin_tasks(std::string& out)
    {
        out += R"(],"tasks":[)";
        part_ = Part::tasks;
    }

    void add(std::string& out, const Task& task)
    {
        if (tasks_++ > 0)
            out += ',';
        json::append_task(out, task);
        if (!is_held(task.status))
            return;
        assignments_ += assigned_++ > 0 ? ",[" : "[";
        json::append_string(assignments_, task.id.view());
        assignments_ += ',';
        json::append_string(assignments_, task.assigned_to.view());
        assignments_ += ']';
    }

    bool end(std::string& out) const
    {
        out.append(R"(],"assignments":[)").append(assignments_).append(R"(],"metadata":)");
        json::ObjectWriter writer(out);
        writer.number("totalWorkers", workers_)
            .number("totalTasks", tasks_)
            .number("activeAssignments", assigned_)
            .number("revision", view_->revision())
            .close();
        out += '}';
        return false;
    }

    std::shared_ptr<FrozenView> view_;
    Part part_ = Part::begin;
    std::size_t workers_ = 0;
    std::size_t tasks_ = 0;
    std::size_t assigned_ = 0;
    std::string assignments_;
};

/// One of the reads of the whole state that may be under way, as long as it lives.
class StateRead {
public:
    explicit StateRead(std::atomic<std::size_t>& reads) noexcept
        : reads_(reads),
          admitted_(reads_.fetch_add(1) < state_reads_max)
    {
    }
    ~StateRead() { reads_.fetch_sub(1); }
    StateRead(const StateRead&) = delete;
    StateRead& operator=(const StateRead&) = delete;

    bool admitted() const noexcept { return admitted_; }

private:
    std::atomic<std::size_t>& reads_;
    bool admitted_;
};

Response too_many_reads()
{
    auto response =
        failure_response({ErrorCode::too_many_reads, "too many reads of the whole state are under way: try "
                                                     "again, or ask for tasks and workers page by page"});
    response.headers = "Retry-After: 1\r\n";
    return response;
}

asio::awaitable<void> send_state(ServerContext* context, ResponseWriter* out)
{
    const StateRead read(context->state_reads);
    if (!read.admitted()) {
        context->metrics.limits.count(LimitKind::state_reads);
        co_return out->whole(too_many_reads());
    }
    auto view = co_await context->coordinator.freeze();
    StateWalk walk(std::move(view));
    bool more = true;
    bool going = true;
    while (more && going) {
        std::string body;
        const std::function<void(const StateStore&)> look = [&](const StateStore&) {
            more = walk.step(body);
        };
        co_await context->coordinator.read(look);
        going = co_await out->piece(body, !more);
    }
}

} // namespace

Answer list_workers(const RoutedRequest& request)
{
    return list<Worker>(request);
}

Answer list_tasks(const RoutedRequest& request)
{
    return list<Task>(request);
}

Answer whole_state(const RoutedRequest& request)
{
    return [context = &request.context](ResponseWriter* out) { return send_state(context, out); };
}

} // namespace coordination
