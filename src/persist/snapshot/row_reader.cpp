#include "persist/snapshot/row_reader.hpp"

#include "core/json/policy.hpp"
#include "core/json/slice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace coordination {
namespace {

/// Deeper than anything that the wire lets in.
constexpr std::size_t depth_max = 1024;

tl::unexpected<std::string> wrong(std::string what)
{
    return tl::unexpected(std::move(what));
}

std::optional<MessageState> message_state_named(std::string_view name) noexcept
{
    for (const auto state : {MessageState::live, MessageState::done, MessageState::dead})
        if (name_of(state) == name)
            return state;
    return std::nullopt;
}

} // namespace

tl::expected<std::string_view, std::string> RowReader::take_apart(std::string_view object, bool with_payload)
{
    fields_.clear();
    hidden_.clear();
    steering_.clear();
    if (const auto valid = json::validate(object, depth_max); !valid)
        return wrong(
            fmt::format("not JSON at byte {} of the row: {}", valid.error().offset, valid.error().what));
    if (json::kind_of(object) != json::Kind::object)
        return wrong("a row is not an object");
    json::Members members(object);
    auto member = members.next();
    if (!member || member->key != "id" || json::kind_of(member->value) != json::Kind::string ||
        member->value == R"("")")
        return wrong("a row does not begin with its id");
    id_ = member->value;

    member = members.next();
    std::string_view payload;
    for (; with_payload && member && member->key != "status"; member = members.next()) {
        const auto* begin = payload.empty() ? member->whole.data() : payload.data();
        payload = {begin, member->whole.data() + member->whole.size()};
    }
    for (; member; member = members.next()) {
        if (member->key == "_")
            read_hidden(member->value);
        else if (json::steers(member->key))
            steering_.append(steering_.empty() ? "" : ",").append(member->whole);
        else
            fields_.add(member->key, member->value);
    }
    return payload;
}

void RowReader::read_hidden(std::string_view object)
{
    if (json::kind_of(object) != json::Kind::object)
        return; // it then lacks its ordinal
    json::Members members(object);
    while (const auto member = members.next())
        hidden_.add(member->key, member->value);
}

tl::expected<void, std::string> RowReader::check() const
{
    const auto name = fields_.wrong().empty() ? hidden_.wrong() : fields_.wrong();
    if (name.empty())
        return {};
    return wrong(fmt::format("the value of \"{}\" is of the wrong kind", name));
}

tl::expected<Worker, std::string> RowReader::worker(std::string_view object)
{
    const auto taken = take_apart(object, false);
    if (!taken)
        return tl::unexpected(taken.error());
    Worker worker = decoder_.worker(fields_, text_of(id_));
    worker.active_tasks = fields_.number<std::uint32_t>("activeTasks");
    worker.capabilities = decoder_.capabilities(hidden_);
    worker.ordinal = hidden_.number<Revision>("ordinal");
    worker.idle_since = hidden_.number<Revision>("idleSince");
    worker.draining = hidden_.flag("draining");
    worker.wants_values = hidden_.flag("values");
    worker.coalesces = hidden_.flag("coalesces");
    worker.watch_budget = hidden_.number<std::uint64_t>("watchBudget");
    worker.pulls = hidden_.flag("pulls");
    worker.drain_by = hidden_.time("drainBy");
    if (auto topics = hidden_.strings("messageTopics"); !topics.empty()) {
        std::ranges::sort(topics);
        const auto twice = std::ranges::unique(topics);
        topics.erase(twice.begin(), twice.end());
        worker.message_topics = std::make_shared<const MessageTopics>(std::move(topics));
    }
    return check().map([&] { return std::move(worker); });
}

tl::expected<void, std::string> RowReader::read_life(Task& task)
{
    task.failures = fields_.number<std::uint32_t>("failedAttempts");
    task.outstanding = fields_.number<std::uint32_t>("waitingFor");
    task.not_before = fields_.time("notBefore");
    task.cancel_by = fields_.time("cancelBy");
    task.ready_at = hidden_.time("readyAt");
    task.started_at = hidden_.time("startedAt");
    task.started = hidden_.number<Revision>("started");
    task.ended = hidden_.number<Revision>("ended");
    task.body = hidden_.number<std::uint64_t>("body");
    if (task.status == TaskStatus::cancelled)
        task.outcome = Text(fields_.raw("error"));
    if (!steering_.empty()) {
        auto policy = json::policy_in(steering_);
        if (!policy)
            return wrong(policy.error().message);
        task.policy = std::move(*policy);
    }
    const auto past = fields_.raw("pastAttempts");
    return past.empty() ? tl::expected<void, std::string>{} : read_past(past, task);
}

tl::expected<void, std::string> RowReader::read_past(std::string_view array, Task& task)
{
    if (json::kind_of(array) != json::Kind::array)
        return wrong("the past attempts are not an array");
    PastAttempts past;
    json::Elements elements(array);
    while (const auto element = elements.next()) {
        if (json::kind_of(*element) != json::Kind::object)
            return wrong("a past attempt is not an object");
        RowFields fields;
        json::Members members(*element);
        while (const auto member = members.next())
            fields.add(member->key, member->value);
        const auto how = attempt_end_named(fields.string("end"));
        if (!how || !fields.wrong().empty())
            return wrong("a past attempt ended in an unknown way");
        past.push_back({.attempt = fields.number<std::uint32_t>("attempt"),
                        .how = *how,
                        .worker = decoder_.worker_id(fields.string("workerId")),
                        .fence = fields.number<Revision>("fence"),
                        .started = fields.number<Revision>("started"),
                        .ended = fields.number<Revision>("ended"),
                        .assigned_at = fields.time("assignedAt"),
                        .started_at = fields.time("startedAt"),
                        .ended_at = fields.time("endedAt"),
                        .reopened = fields.number<Revision>("reopened"),
                        .reopened_at = fields.time("reopenedAt"),
                        .error = Text(fields.raw("error"))});
        if (!fields.wrong().empty())
            return wrong("a value of a past attempt is of the wrong kind");
    }
    task.past = Shared<PastAttempts>(std::move(past));
    return {};
}

tl::expected<Task, std::string> RowReader::task(std::string_view object)
{
    const auto payload = take_apart(object, true);
    if (!payload)
        return tl::unexpected(payload.error());
    const auto status = task_status_named(fields_.string("status"));
    const auto priority = priority_named(hidden_.string("priority"));
    if (!status || !priority)
        return wrong("the task's status or priority is unknown");
    Task task = decoder_.task(fields_, text_of(id_), *status);
    task.payload = Text(*payload);
    task.priority = *priority;
    task.required = decoder_.capabilities(hidden_);
    task.crash_limit = hidden_.number<std::uint32_t>("crashLimit");
    task.ordinal = hidden_.number<Revision>("ordinal");
    return read_life(task).and_then([this] { return check(); }).map([&] { return std::move(task); });
}

tl::expected<BusMessage, std::string> RowReader::message(std::string_view object)
{
    const auto taken = take_apart(object, false);
    if (!taken)
        return tl::unexpected(taken.error());
    const auto state = message_state_named(fields_.string("state"));
    const auto guarantee = guarantee_named(fields_.string("guarantee"));
    if (!state || !guarantee)
        return wrong("the message's state or guarantee is unknown");
    BusMessage message{.id = MessageId(text_of(id_)), .guarantee = *guarantee, .state = *state};
    message.published_at = fields_.time("publishedAt");
    message.expires_at = fields_.time("expires");
    message.done_at = fields_.time("doneAt");
    message.ordinal = hidden_.number<Revision>("ordinal");
    message.named = hidden_.flag("named");
    if (*state != MessageState::done)
        if (auto read = read_body(message); !read)
            return tl::unexpected(std::move(read.error()));
    return check().map([&] { return std::move(message); });
}

/// What there is of a message that is not only remembered.
tl::expected<void, std::string> RowReader::read_body(BusMessage& message)
{
    const auto priority = priority_named(fields_.string("priority"));
    if (!priority)
        return wrong("the message's priority is unknown");
    message.priority = *priority;
    message.priority_as_number = hidden_.flag("number");
    message.topic = Text(fields_.string("topic"));
    message.payload = Text(fields_.raw("payload"));
    message.sender = decoder_.worker_id(fields_.string("sender")).text;
    message.max_retries = fields_.number<std::uint32_t>("maxRetries");
    message.reason = Text(fields_.string("reason"));
    message.original = MessageId(std::string_view(fields_.string("original")));
    std::vector<WorkerId> receivers;
    for (const auto& name : fields_.strings("receivers"))
        receivers.push_back(decoder_.worker_id(name));
    bind(message, std::move(receivers));
    if (message.pending == 0)
        return wrong("the message has no receivers");
    return {};
}

} // namespace coordination
