#include "net/wire/commands.hpp"

#include "core/json/slice.hpp"
#include "core/store/topics.hpp"
#include "net/wire/task_data.hpp"

#include <utility>

namespace coordination::wire {
namespace {

/// Every topic there is fits many times over: a longer list only costs memory.
constexpr std::size_t topics_bytes_max = 4096;

Read<LeaseClaim> claim_in(const Fields& fields)
{
    LeaseClaim claim;
    if (!fields.attempt.empty()) {
        const auto attempt = natural_in(fields.attempt, "attempt", 1);
        if (!attempt)
            return tl::unexpected(attempt.error());
        claim.attempt = *attempt;
    }
    if (!fields.fence.empty()) {
        const auto fence = natural_in(fields.fence, "fence", 1);
        if (!fence)
            return tl::unexpected(fence.error());
        claim.fence = *fence;
    }
    if (!fields.worker_id.empty()) {
        const auto worker = string_in(fields.worker_id, "workerId");
        if (!worker)
            return tl::unexpected(worker.error());
        if (!worker->empty())
            claim.worker = WorkerId(*worker);
    }
    return claim;
}

Read<FinishTask> finish_task(const Fields& fields, const Bounds& bounds, bool completed)
{
    auto id = id_in(fields.task_id, "taskId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    auto claim = claim_in(fields);
    if (!claim)
        return tl::unexpected(std::move(claim.error()));
    const auto outcome = completed ? fields.result : fields.error;
    return FinishTask{.id = TaskId(*id),
                      .claim = std::move(*claim),
                      .completed = completed,
                      .outcome = text_on_one_line(outcome)};
}

/// `metadata.subscriptions`, or nothing.
std::string_view subscriptions_in(std::string_view metadata)
{
    std::string_view topics;
    json::Members members(metadata);
    while (const auto member = members.next())
        if (member->named("subscriptions"))
            topics = json::kind_of(member->value) == json::Kind::null ? "" : member->value;
    return topics;
}

Read<void> add_metadata(RegisterWorker& command, std::string_view metadata)
{
    auto object = check_object(metadata, "metadata");
    if (!object)
        return object;
    command.metadata = text_on_one_line(metadata);
    const auto topics = subscriptions_in(metadata);
    if (topics.empty())
        return {};
    auto subscription = subscription_in(topics, "metadata.subscriptions");
    if (!subscription)
        return tl::unexpected(std::move(subscription.error()));
    command.subscription = std::move(*subscription);
    return {};
}

} // namespace

Read<RegisterWorker> register_worker(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.worker_id, "workerId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    RegisterWorker command{
        .id = WorkerId(*id), .capabilities = {}, .capabilities_json = {}, .metadata = {}, .subscription = {}};
    if (!fields.capabilities.empty()) {
        auto names = strings_in(fields.capabilities, "capabilities");
        if (!names)
            return tl::unexpected(std::move(names.error()));
        command.capabilities = std::move(*names);
        command.capabilities_json = text_on_one_line(fields.capabilities);
    }
    if (!fields.metadata.empty())
        if (auto added = add_metadata(command, fields.metadata); !added)
            return tl::unexpected(std::move(added.error()));
    return command;
}

Read<UnregisterWorker> unregister_worker(const Fields& fields, const Bounds& bounds)
{
    return id_in(fields.worker_id, "workerId", bounds).map([](const std::string& id) {
        return UnregisterWorker{WorkerId(id)};
    });
}

Read<Heartbeat> heartbeat(const Fields& fields, const Bounds& bounds)
{
    return id_in(fields.worker_id, "workerId", bounds).map([](const std::string& id) {
        return Heartbeat{WorkerId(id)};
    });
}

Read<AssignTask> assign_task(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.task_id, "taskId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    AssignTask command{.id = TaskId(*id), .worker = {}, .data = {}};
    if (!fields.worker_id.empty()) {
        const auto worker = string_in(fields.worker_id, "workerId");
        if (!worker)
            return tl::unexpected(worker.error());
        if (!worker->empty()) // an empty one asks for the best, as none does
            command.worker = WorkerId(*worker);
    }
    auto data = task_data_in(fields);
    if (!data)
        return tl::unexpected(std::move(data.error()));
    command.data = std::move(*data);
    auto policy = policy_in(fields);
    if (!policy)
        return tl::unexpected(std::move(policy.error()));
    command.policy = std::move(*policy);
    return command;
}

Read<FinishTask> complete_task(const Fields& fields, const Bounds& bounds)
{
    return finish_task(fields, bounds, true);
}

Read<FinishTask> fail_task(const Fields& fields, const Bounds& bounds)
{
    return finish_task(fields, bounds, false);
}

Read<Command> update_task(const Fields& fields, const Bounds& bounds)
{
    auto id = id_in(fields.task_id, "taskId", bounds);
    if (!id)
        return tl::unexpected(std::move(id.error()));
    if (!fields.progress.empty())
        if (auto progress = check_progress(fields.progress, "progress"); !progress)
            return tl::unexpected(std::move(progress.error()));
    if (fields.status.empty() && fields.progress.empty())
        return tl::unexpected(missing_field("status"));
    if (!fields.status.empty()) {
        const auto status = string_in(fields.status, "status");
        if (status && (*status == "completed" || *status == "failed"))
            return finish_task(fields, bounds, *status == "completed").map([](FinishTask&& command) {
                return Command(std::move(command));
            });
        if (status && *status == "cancelled")
            return finish_task(fields, bounds, false).map([](FinishTask&& command) {
                command.confirms_cancel = true;
                return Command(std::move(command));
            });
        if (!status || *status != "in_progress")
            return tl::unexpected(invalid_field("status", "in_progress, completed, failed or cancelled"));
    }
    auto claim = claim_in(fields);
    if (!claim)
        return tl::unexpected(std::move(claim.error()));
    return UpdateTask{.id = TaskId(*id), .claim = std::move(*claim), .progress = Text(fields.progress)};
}

Read<Subscription> subscription_in(std::string_view topics, std::string_view name)
{
    if (topics.empty())
        return tl::unexpected(missing_field(name));
    if (json::kind_of(topics) != json::Kind::array)
        return tl::unexpected(invalid_field(name, "an array of topics"));
    Subscription subscription;
    if (topics.size() > topics_bytes_max)
        return tl::unexpected(
            Error{ErrorCode::too_many_topics, std::string(name) + " must be an array of topics, less than " +
                                                  std::to_string(topics_bytes_max) + " bytes of them"});
    subscription.topics_json = text_on_one_line(topics);
    json::Elements elements(topics);
    while (const auto element = elements.next()) {
        const bool is_text = json::kind_of(*element) == json::Kind::string;
        const auto mask = is_text ? compile_topic(json::unquoted(*element)) : std::nullopt;
        if (!mask)
            return tl::unexpected(invalid_field(
                name, "an array of topics, collection:operation or *, but holds " + std::string(*element)));
        subscription.topics |= *mask;
    }
    return subscription;
}

} // namespace coordination::wire
