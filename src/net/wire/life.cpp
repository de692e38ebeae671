#include "net/wire/life.hpp"

#include "core/json/slice.hpp"
#include "net/wire/task_data.hpp"

#include <algorithm>
#include <utility>

namespace coordination::wire {
namespace {

constexpr std::size_t batch_max = 10'000;
constexpr std::size_t claim_max = 1'000;
constexpr std::uint64_t filter_limit_max = 10'000;
constexpr std::uint64_t duration_ms_max = std::uint64_t{365} * 24 * 3'600'000;

/// What a submission asks for, whatever the order of its fields: who it is for and under which id does not
/// count.
/// Source  FNV-1a for each member, added up.
std::uint64_t body_of(const Fields& fields)
{
    std::uint64_t sum = 0;
    json::Members members(fields.message);
    while (const auto member = members.next()) {
        if (member->key == "type" || member->key == "requestId" || member->key == "taskId")
            continue;
        std::uint64_t hash = 0xCBF29CE484222325U;
        for (const auto text : {member->key, member->value})
            for (const char c : text)
                hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
        sum += hash;
    }
    return (sum >> 1U) | 1U; // files hold 63 bits, and 0 says that there is none
}

Read<NewTask> new_task(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.task_id, "taskId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    auto data = task_data_in(fields);
    if (!data)
        return tl::unexpected(std::move(data.error()));
    auto policy = policy_in(fields);
    if (!policy)
        return tl::unexpected(std::move(policy.error()));
    return NewTask{.id = TaskId(*id),
                   .data = data->has_value() ? std::move(**data) : TaskData{},
                   .policy = std::move(*policy),
                   .body = body_of(fields)};
}

Read<std::optional<std::chrono::milliseconds>> duration_in(const Fields& fields, std::string_view name)
{
    const auto value = field_in(fields, name);
    if (value.empty())
        return std::nullopt;
    const auto number = natural_in(value, name, 0);
    if (!number)
        return tl::unexpected(number.error());
    if (*number > duration_ms_max)
        return tl::unexpected(invalid_field(name, "at most a year"));
    return std::chrono::milliseconds(*number);
}

Read<bool> flag_in(const Fields& fields, std::string_view name, bool otherwise)
{
    const auto value = field_in(fields, name);
    if (value.empty())
        return otherwise;
    return boolean_in(value, name);
}

Read<std::string> text_in(const Fields& fields, std::string_view name)
{
    const auto value = field_in(fields, name);
    if (value.empty())
        return std::string{};
    return string_in(value, name);
}

Read<void> read_window(const Fields& fields, TaskFilter& filter)
{
    const auto ended = field_in(fields, "endedBefore");
    const auto cursor = field_in(fields, "cursor");
    const auto limit = field_in(fields, "limit");
    if (!ended.empty()) {
        const auto time = natural_in(ended, "endedBefore", 0);
        if (!time)
            return tl::unexpected(time.error());
        filter.ended_before = Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(*time)));
    }
    if (!cursor.empty()) {
        const auto after = natural_in(cursor, "cursor", 0);
        if (!after)
            return tl::unexpected(after.error());
        filter.after = *after;
    }
    if (!limit.empty()) {
        const auto number = natural_in(limit, "limit", 1);
        if (!number || *number > filter_limit_max)
            return tl::unexpected(invalid_field("limit", "an integer from 1 to 10000"));
        filter.limit = *number;
    }
    return {};
}

Read<TaskFilter> filter_in(const Fields& fields)
{
    TaskFilter filter;
    if (!fields.status.empty()) {
        const auto name = string_in(fields.status, "status");
        filter.status = name ? task_status_named(*name) : std::nullopt;
        if (!filter.status)
            return tl::unexpected(invalid_field("status", "completed, failed or cancelled"));
    }
    auto capability = text_in(fields, "capability");
    if (!capability)
        return tl::unexpected(std::move(capability.error()));
    auto code = text_in(fields, "code");
    if (!code)
        return tl::unexpected(std::move(code.error()));
    filter.capability = std::move(*capability);
    filter.code = std::move(*code);
    return read_window(fields, filter).map([&] { return std::move(filter); });
}

template <class Bulk>
Read<Bulk> bulk(const Fields& fields)
{
    auto filter = filter_in(fields);
    if (!filter)
        return tl::unexpected(std::move(filter.error()));
    return flag_in(fields, "dryRun", false).map([&](bool dry_run) {
        return Bulk{.filter = std::move(*filter), .dry_run = dry_run};
    });
}

} // namespace

Read<SubmitTasks> submit_task(const Fields& fields, const Bounds& bounds)
{
    auto task = new_task(fields, bounds);
    if (!task)
        return tl::unexpected(std::move(task.error()));
    SubmitTasks command;
    command.tasks.push_back(std::move(*task));
    return command;
}

Read<SubmitTasks> submit_batch(const Fields& fields, const Bounds& bounds)
{
    const auto tasks = field_in(fields, "tasks");
    if (tasks.empty())
        return tl::unexpected(missing_field("tasks"));
    const auto wrong = [] {
        return tl::unexpected(invalid_field("tasks", "an array of 1 to 10000 objects"));
    };
    if (json::kind_of(tasks) != json::Kind::array)
        return wrong();
    SubmitTasks command;
    json::Elements elements(tasks);
    while (const auto element = elements.next()) {
        if (json::kind_of(*element) != json::Kind::object || command.tasks.size() == batch_max)
            return wrong();
        auto task = new_task(fields_in(*element), bounds);
        if (!task) {
            task.error().message =
                "tasks[" + std::to_string(command.tasks.size()) + "]: " + task.error().message;
            return tl::unexpected(std::move(task.error()));
        }
        command.tasks.push_back(std::move(*task));
    }
    if (command.tasks.empty())
        return wrong();
    return command;
}

Read<CancelTask> cancel_task(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.task_id, "taskId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    auto grace = duration_in(fields, "graceMs");
    if (!grace)
        return tl::unexpected(std::move(grace.error()));
    return text_in(fields, "reason").map([&](std::string&& reason) {
        return CancelTask{.id = TaskId(*id), .grace = *grace, .reason = std::move(reason)};
    });
}

Read<RetryTask> retry_task(const Fields& fields, const Bounds& bounds)
{
    return id_in(fields.task_id, "taskId", bounds).map([](const std::string& id) {
        return RetryTask{TaskId(id)};
    });
}

Read<Redrive> redrive(const Fields& fields, const Bounds&)
{
    return bulk<Redrive>(fields);
}

Read<DeleteTask> delete_task(const Fields& fields, const Bounds& bounds)
{
    return id_in(fields.task_id, "taskId", bounds).map([](const std::string& id) {
        return DeleteTask{TaskId(id)};
    });
}

Read<PurgeTasks> purge_tasks(const Fields& fields, const Bounds&)
{
    return bulk<PurgeTasks>(fields);
}

Read<ClaimTasks> claim_tasks(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.worker_id, "workerId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    ClaimTasks command{.worker = WorkerId(*id)};
    if (const auto max = field_in(fields, "max"); !max.empty()) {
        const auto number = natural_in(max, "max", 1);
        if (!number || *number > claim_max)
            return tl::unexpected(invalid_field("max", "an integer from 1 to 1000"));
        command.max = *number;
    }
    const auto wait = duration_in(fields, "waitMs");
    if (!wait)
        return tl::unexpected(wait.error());
    command.wait = wait->value_or(std::chrono::milliseconds{0});
    return flag_in(fields, "resume", false).map([&](bool resume) {
        command.resume = resume;
        return std::move(command);
    });
}

Read<DrainWorker> drain_worker(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.worker_id, "workerId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    auto deadline = duration_in(fields, "deadlineMs");
    if (!deadline)
        return tl::unexpected(std::move(deadline.error()));
    return flag_in(fields, "drain", true).map([&](bool drain) {
        return DrainWorker{.id = WorkerId(*id), .drain = drain, .deadline = *deadline};
    });
}

Read<Goodbye> goodbye(const Fields& fields, const Bounds& bounds)
{
    return id_in(fields.worker_id, "workerId", bounds).map([](const std::string& id) {
        return Goodbye{WorkerId(id)};
    });
}

} // namespace coordination::wire
