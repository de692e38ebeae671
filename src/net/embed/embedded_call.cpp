#include "net/embed/embedded_call.hpp"

#include "core/json/records.hpp"
#include "core/json/slice.hpp"
#include "core/json/write.hpp"
#include "net/metrics.hpp"
#include "net/wire/commands.hpp"
#include "net/wire/life.hpp"
#include "net/wire/messages.hpp"

#include <fmt/format.h>

#include <utility>

namespace coordination {
namespace {

using wire::Bounds;

/// Writes a request as the body of its HTTP call, so that one reader checks both. What is empty is not told.
class Message {
public:
    explicit Message(const Bounds& bounds) : bounds_(bounds), writer_(text_) {}

    Message& text(std::string_view key, std::string_view value)
    {
        if (!value.empty())
            writer_.string(key, value);
        return *this;
    }
    template <class Number>
    Message& number(std::string_view key, Number value)
    {
        writer_.raw(key, fmt::format("{}", value));
        return *this;
    }
    Message& json(std::string_view key, std::string_view value)
    {
        if (!value.empty() && is_json(key, value))
            writer_.raw(key, value);
        return *this;
    }
    /// The members of an object, before the call's own, which win.
    Message& fields(std::string_view object)
    {
        if (object.empty() || !is_json("fields", object))
            return *this;
        object = json::trimmed(object);
        if (json::kind_of(object) != json::Kind::object)
            refusal_ = invalid_field("fields", "a JSON object");
        else
            writer_.members(json::trimmed(object.substr(1, object.size() - 2)));
        return *this;
    }
    Message& lease(const request::Lease& lease)
    {
        text("workerId", lease.worker_id);
        if (lease.attempt != 0)
            number("attempt", lease.attempt);
        if (lease.fence != 0)
            number("fence", lease.fence);
        return *this;
    }
    Message& duration(std::string_view key, const std::optional<std::chrono::milliseconds>& value)
    {
        if (value)
            number(key, value->count());
        return *this;
    }

    tl::expected<std::string, Error> take()
    {
        if (refusal_)
            return tl::unexpected(std::move(*refusal_));
        writer_.close();
        return std::move(text_);
    }

private:
    bool is_json(std::string_view key, std::string_view value)
    {
        const auto valid = json::validate(value, bounds_.json_depth_max);
        if (!valid && !refusal_)
            refusal_ = Error{ErrorCode::invalid_json, fmt::format("{} is not JSON: {} at byte {}", key,
                                                                  valid.error().what, valid.error().offset)};
        return valid.has_value();
    }

    const Bounds& bounds_;
    std::string text_;
    json::ObjectWriter writer_;
    std::optional<Error> refusal_;
};

std::string array_of(const std::vector<std::string>& texts)
{
    std::string array = "[";
    for (const auto& text : texts) {
        if (array.size() > 1)
            array += ',';
        json::append_string(array, text);
    }
    return array + ']';
}

void write(Message& message, const request::RegisterWorker& request)
{
    message.text("workerId", request.worker_id)
        .json("capabilities", array_of(request.capabilities))
        .json("metadata", request.metadata);
}
void write(Message& message, const request::UnregisterWorker& request)
{
    message.text("workerId", request.worker_id);
}
void write(Message& message, const request::Heartbeat& request)
{
    message.text("workerId", request.worker_id);
}
void write(Message& message, const request::AssignTask& request)
{
    message.fields(request.fields)
        .text("taskId", request.task_id)
        .text("workerId", request.worker_id.value_or(""))
        .json("taskData", request.task_data);
}
void write(Message& message, const request::SubmitTask& request)
{
    message.fields(request.fields).text("taskId", request.task_id).json("taskData", request.task_data);
}
void write(Message& message, const request::UpdateTask& request)
{
    message.text("taskId", request.task_id).text("status", "in_progress").lease(request.lease);
    if (request.progress)
        message.number("progress", *request.progress);
}
void write(Message& message, const request::CompleteTask& request)
{
    message.text("taskId", request.task_id).json("result", request.result).lease(request.lease);
}
void write(Message& message, const request::FailTask& request)
{
    message.text("taskId", request.task_id).json("error", request.error).lease(request.lease);
}
void write(Message& message, const request::CancelTask& request)
{
    message.text("taskId", request.task_id).text("reason", request.reason).duration("graceMs", request.grace);
}
void write(Message& message, const request::RetryTask& request)
{
    message.text("taskId", request.task_id);
}
void write(Message& message, const request::DeleteTask& request)
{
    message.text("taskId", request.task_id);
}
void write(Message& message, const request::DrainWorker& request)
{
    message.text("workerId", request.worker_id)
        .json("drain", request.drain ? "true" : "false")
        .duration("deadlineMs", request.deadline);
}
void write(Message& message, const request::PublishMessage& request)
{
    message.fields(request.fields)
        .text("topic", request.topic)
        .json("payload", request.payload)
        .text("recipient", request.recipient)
        .text("messageId", request.message_id);
}

AnyReply tell_done(const AnyRequest& /*request*/, const Result& result, const StateStore& state,
                   const ReplyContext& context, const Metrics& /*metrics*/)
{
    if (!result)
        return tl::unexpected(result.error());
    Done done{.task_id = std::string(result->task.view()),
              .worker_id = std::string(result->worker.view()),
              .message_id = std::string(result->message.view()),
              .duplicate = result->duplicate,
              .revision = context.revision,
              .durability = context.durability};
    if (const Task* task = state.tasks().find(done.task_id)) {
        done.attempt = task->attempt;
        done.fence = task->fence;
        if (done.worker_id.empty())
            done.worker_id = task->assigned_to.view();
    }
    return done;
}

AnyReply tell_task(const AnyRequest& request, const Result& /*result*/, const StateStore& state,
                   const ReplyContext& /*context*/, const Metrics& /*metrics*/)
{
    const Task* task = state.tasks().find(std::get<request::FindTask>(request).task_id);
    if (!task)
        return tl::unexpected(task_not_found());
    TaskView view{.id = std::string(task->id.view()),
                  .status = task->status,
                  .worker_id = std::string(task->assigned_to.view()),
                  .attempt = task->attempt,
                  .fence = task->fence,
                  .json = {}};
    json::append_task(view.json, *task);
    return view;
}

AnyReply tell_worker(const AnyRequest& request, const Result& /*result*/, const StateStore& state,
                     const ReplyContext& /*context*/, const Metrics& /*metrics*/)
{
    const Worker* worker = state.workers().find(std::get<request::FindWorker>(request).worker_id);
    if (!worker)
        return tl::unexpected(worker_not_found());
    WorkerView view{.id = std::string(worker->id.view()),
                    .status = worker->status(),
                    .active_tasks = worker->active_tasks,
                    .json = {}};
    json::append_worker(view.json, *worker);
    return view;
}

AnyReply tell_metrics(const AnyRequest& /*request*/, const Result& /*result*/, const StateStore& state,
                      const ReplyContext& context, const Metrics& metrics)
{
    return metrics_json(metrics, state, context.now);
}

using Read = tl::expected<Asked, Error>;

template <auto parse, class Request>
Read command(const Request& request, const Bounds& bounds)
{
    Message message(bounds);
    write(message, request);
    const auto body = message.take();
    if (!body)
        return tl::unexpected(body.error());
    const auto fields = wire::fields_of(*body, bounds.json_depth_max);
    if (!fields)
        return tl::unexpected(fields.error());
    auto parsed = parse(*fields, bounds);
    if (!parsed)
        return tl::unexpected(parsed.error());
    return Asked{Command(std::move(*parsed)), tell_done};
}

/// How each kind of request is read.
struct Reader {
    const Bounds& bounds;

    Read operator()(const request::RegisterWorker& r) const
    {
        return command<wire::register_worker>(r, bounds);
    }
    Read operator()(const request::UnregisterWorker& r) const
    {
        return command<wire::unregister_worker>(r, bounds);
    }
    Read operator()(const request::Heartbeat& r) const { return command<wire::heartbeat>(r, bounds); }
    Read operator()(const request::AssignTask& r) const { return command<wire::assign_task>(r, bounds); }
    Read operator()(const request::SubmitTask& r) const { return command<wire::submit_task>(r, bounds); }
    Read operator()(const request::UpdateTask& r) const { return command<wire::update_task>(r, bounds); }
    Read operator()(const request::CompleteTask& r) const { return command<wire::complete_task>(r, bounds); }
    Read operator()(const request::FailTask& r) const { return command<wire::fail_task>(r, bounds); }
    Read operator()(const request::CancelTask& r) const { return command<wire::cancel_task>(r, bounds); }
    Read operator()(const request::RetryTask& r) const { return command<wire::retry_task>(r, bounds); }
    Read operator()(const request::DeleteTask& r) const { return command<wire::delete_task>(r, bounds); }
    Read operator()(const request::DrainWorker& r) const { return command<wire::drain_worker>(r, bounds); }
    Read operator()(const request::PublishMessage& r) const
    {
        return command<wire::publish_message>(r, bounds);
    }
    Read operator()(const request::FindTask&) const { return Asked{{}, tell_task}; }
    Read operator()(const request::FindWorker&) const { return Asked{{}, tell_worker}; }
    Read operator()(const request::ReadMetrics&) const { return Asked{{}, tell_metrics}; }
};

} // namespace

tl::expected<Asked, Error> read_request(const AnyRequest& request, const wire::Bounds& bounds)
{
    return std::visit(Reader{bounds}, request);
}

tl::expected<SubscribeMessages, Error> read_topics(const std::vector<std::string>& topics,
                                                   const wire::Bounds& bounds)
{
    wire::Fields fields;
    const auto array = array_of(topics);
    fields.topics = array;
    auto subscription = wire::subscribe_messages(fields, bounds);
    if (subscription && subscription->topics.size() > message_topics_max)
        return tl::unexpected(too_many_topics());
    return subscription;
}

} // namespace coordination
