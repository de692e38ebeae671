#include "net/ws/protocol.hpp"

#include "core/json/records.hpp"
#include "core/json/slice.hpp"
#include "net/wire/commands.hpp"

#include <array>
#include <utility>

namespace coordination::ws {
namespace {

using wire::Bounds;
using wire::Fields;
using wire::Read;

Read<Action> registration(const Fields& fields, const Bounds& bounds)
{
    return wire::register_worker(fields, bounds).map([](RegisterWorker&& c) {
        return Action(Command(std::move(c)));
    });
}

Read<Action> heartbeat(const Fields& fields, const Bounds& bounds)
{
    return wire::heartbeat(fields, bounds).map([](Heartbeat&& c) { return Action(Command(std::move(c))); });
}

Read<Action> task_update(const Fields& fields, const Bounds& bounds)
{
    return wire::update_task(fields, bounds).map([](Command&& c) { return Action(std::move(c)); });
}

Read<Action> assign(const Fields& fields, const Bounds& bounds)
{
    return wire::assign_task(fields, bounds).map([](AssignTask&& c) {
        return Action(Command(std::move(c)));
    });
}

Read<Action> complete(const Fields& fields, const Bounds& bounds)
{
    return wire::complete_task(fields, bounds).map([](FinishTask&& c) {
        return Action(Command(std::move(c)));
    });
}

Read<Action> fail(const Fields& fields, const Bounds& bounds)
{
    return wire::fail_task(fields, bounds).map([](FinishTask&& c) { return Action(Command(std::move(c))); });
}

Read<Action> subscribe(const Fields& fields, const Bounds&)
{
    auto subscription = wire::subscription_in(fields.topics, "topics");
    if (!subscription)
        return tl::unexpected(std::move(subscription.error()));
    Watch watch{.subscription = std::move(*subscription), .since = {}};
    if (!fields.values.empty()) {
        const auto values = wire::boolean_in(fields.values, "values");
        if (!values)
            return tl::unexpected(values.error());
        watch.subscription.values = *values;
    }
    if (!fields.since.empty()) {
        const auto since = wire::natural_in(fields.since, "since", 0);
        if (!since)
            return tl::unexpected(since.error());
        watch.since = *since;
    }
    return watch;
}

/// Only looks: write_reply() finds out.
Read<Action> look(std::string_view id, std::string_view name, const Bounds& bounds)
{
    auto known = wire::id_in(id, name, bounds);
    if (!known)
        return tl::unexpected(std::move(known.error()));
    return std::monostate{};
}

Read<Action> get_task(const Fields& fields, const Bounds& bounds)
{
    return look(fields.task_id, "taskId", bounds);
}

Read<Action> get_worker(const Fields& fields, const Bounds& bounds)
{
    return look(fields.worker_id, "workerId", bounds);
}

struct MessageType {
    std::string_view name;
    MessageKind kind;
    Read<Action> (*read)(const Fields&, const Bounds&);
};

constexpr std::array<MessageType, 9> message_types{{
    {"task_update", MessageKind::task_update, task_update},
    {"heartbeat", MessageKind::heartbeat, heartbeat},
    {"assign", MessageKind::assign, assign},
    {"complete", MessageKind::finish, complete},
    {"fail", MessageKind::finish, fail},
    {"register", MessageKind::registration, registration},
    {"subscribe", MessageKind::subscribe, subscribe},
    {"get_task", MessageKind::get_task, get_task},
    {"get_worker", MessageKind::get_worker, get_worker},
}};

std::string text_or_nothing(std::string_view value)
{
    return json::kind_of(value) == json::Kind::string ? json::unquoted(value) : std::string{};
}

Read<const MessageType*> type_in(const Fields& fields)
{
    if (fields.type.empty())
        return tl::unexpected(missing_field("type"));
    const auto name = wire::string_in(fields.type, "type");
    if (!name)
        return tl::unexpected(name.error());
    for (const auto& type : message_types)
        if (type.name == *name)
            return &type;
    std::string known;
    for (const auto& type : message_types)
        known.append(known.empty() ? "one of " : ", ").append(type.name);
    return tl::unexpected(invalid_field("type", known));
}

Read<void> check_request_id(std::string_view id)
{
    const auto kind = json::kind_of(id);
    if (!id.empty() && kind != json::Kind::string && kind != json::Kind::number)
        return tl::unexpected(invalid_field("requestId", "a string or a number"));
    return {};
}

std::string refusal(const ReplyForm& form, const Error& error)
{
    return form.request_id.empty() ? wire::error_message(error, form.subject)
                                   : wire::failed_response(form.request_id, error);
}

wire::Telling telling_of(MessageKind kind) noexcept
{
    switch (kind) {
    case MessageKind::registration:
        return wire::Telling::registration;
    case MessageKind::heartbeat:
        return wire::Telling::heartbeat;
    case MessageKind::assign:
        return wire::Telling::assignment;
    case MessageKind::task_update:
    case MessageKind::finish:
        return wire::Telling::task_change;
    case MessageKind::subscribe:
    case MessageKind::get_task:
    case MessageKind::get_worker:
        break;
    }
    return wire::Telling::done;
}

/// The answer of the original, to a message without `requestId`.
std::string plain_reply(const ReplyForm& form, const wire::Rhythm& rhythm, const Outcome& outcome,
                        const StateStore& state, const ReplyContext& context)
{
    std::string out;
    if (form.kind == MessageKind::registration) {
        json::ObjectWriter writer(out);
        writer.string("type", "registered");
        wire::append_registration(writer, rhythm, outcome.worker, state, context);
        writer.number("revision", context.revision).close();
    } else if (form.kind == MessageKind::heartbeat) {
        json::ObjectWriter(out)
            .string("type", "heartbeat_ack")
            .number("timestamp", to_millis(context.now))
            .close();
    }
    return out;
}

template <class Record>
std::string found(const ReplyForm& form, std::string_view name, const Record* record,
                  void (*append)(std::string&, const Record&), const Error& otherwise)
{
    if (!record)
        return refusal(form, otherwise);
    if (form.request_id.empty())
        return {}; // nothing in the original's protocol could carry it
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "response").raw("requestId", form.request_id).boolean("success", true).name(name);
    append(out, *record);
    writer.close();
    return out;
}

} // namespace

tl::expected<Message, std::string> read_message(std::string_view text, const Bounds& bounds,
                                                std::string_view own_worker)
{
    auto fields = wire::fields_of(text, bounds.json_depth_max);
    if (!fields)
        return tl::unexpected(wire::error_message(fields.error(), {}));
    ReplyForm form;
    if (const auto checked = check_request_id(fields->request_id); !checked)
        return tl::unexpected(wire::error_message(checked.error(), {}));
    form.request_id = fields->request_id;
    form.subject.task = fields->task_id.empty() ? std::string{} : text_or_nothing(fields->task_id);
    form.subject.worker = fields->worker_id.empty() ? std::string{} : text_or_nothing(fields->worker_id);

    const auto type = type_in(*fields);
    if (!type)
        return tl::unexpected(refusal(form, type.error()));
    form.kind = (*type)->kind;
    if (form.kind == MessageKind::heartbeat && form.subject.worker.empty() && !own_worker.empty())
        return Message{Command(Heartbeat{WorkerId(own_worker)}), std::move(form)};
    auto action = (*type)->read(*fields, bounds);
    if (!action)
        return tl::unexpected(refusal(form, action.error()));
    if (form.kind == MessageKind::task_update && own_worker.empty())
        return tl::unexpected(refusal(form, {ErrorCode::stale_attempt,
                                             "only a worker reports on its tasks: register "
                                             "over this connection first, or send complete or fail"}));
    return Message{std::move(*action), std::move(form)};
}

std::string write_reply(const ReplyForm& form, const wire::Rhythm& rhythm, const Result& result,
                        const StateStore& state, const ReplyContext& context)
{
    if (!result)
        return refusal(form, result.error());
    if (form.kind == MessageKind::get_task)
        return found<Task>(form, "task", state.tasks().find(form.subject.task), json::append_task,
                           wire::task_not_found());
    if (form.kind == MessageKind::get_worker)
        return found<Worker>(form, "worker", state.workers().find(form.subject.worker), json::append_worker,
                             wire::worker_not_found());
    if (form.request_id.empty())
        return plain_reply(form, rhythm, *result, state, context);

    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "response").raw("requestId", form.request_id).boolean("success", true);
    if (form.kind == MessageKind::registration)
        wire::append_registration(writer, rhythm, result->worker, state, context);
    else if (form.kind == MessageKind::subscribe && !context.changed)
        writer.number("revision", context.revision); // from here on it hears of everything
    wire::append_outcome(writer, telling_of(form.kind), *result, state, context);
    writer.close();
    return out;
}

} // namespace coordination::ws
