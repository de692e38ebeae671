#include "net/ws/protocol.hpp"

#include "core/json/records.hpp"
#include "core/json/slice.hpp"
#include "net/wire/commands.hpp"
#include "net/wire/insight.hpp"
#include "net/wire/life.hpp"
#include "net/wire/messages.hpp"

#include <array>
#include <utility>

namespace coordination::ws {
namespace {

using wire::Bounds;
using wire::Fields;
using wire::Read;

template <auto parse>
Read<Action> call(const Fields& fields, const Bounds& bounds)
{
    auto command = parse(fields, bounds);
    if (!command)
        return tl::unexpected(std::move(command.error()));
    return Action(Command(std::move(*command)));
}

/// What is to become of a subscriber that reads too slowly.
Read<void> add_policy(Subscription& subscription, const Fields& fields, const Bounds& bounds)
{
    if (const auto text = wire::field_in(fields, "policy"); !text.empty()) {
        const auto policy = wire::string_in(text, "policy");
        if (!policy || (*policy != "disconnect" && *policy != "coalesce"))
            return tl::unexpected(invalid_field("policy", "disconnect or coalesce"));
        subscription.coalesce = *policy == "coalesce";
    }
    if (const auto text = wire::field_in(fields, "budget"); !text.empty()) {
        const auto budget = wire::natural_in(text, "budget", 1);
        if (!budget || *budget > bounds.subscription_bytes_max)
            return tl::unexpected(
                invalid_field("budget", "bytes, from 1 to " + std::to_string(bounds.subscription_bytes_max)));
        subscription.budget = *budget;
    }
    return {};
}

Read<Action> subscribe(const Fields& fields, const Bounds& bounds)
{
    auto subscription = wire::subscription_in(fields.topics, "topics");
    if (!subscription)
        return tl::unexpected(std::move(subscription.error()));
    Watch watch{.subscription = std::move(*subscription), .since = {}};
    if (auto added = add_policy(watch.subscription, fields, bounds); !added)
        return tl::unexpected(std::move(added.error()));
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

constexpr std::array<MessageType, 25> message_types{{
    {"task_update", MessageKind::task_update, call<wire::update_task>},
    {"heartbeat", MessageKind::heartbeat, call<wire::heartbeat>},
    {"assign", MessageKind::assign, call<wire::assign_task>},
    {"complete", MessageKind::finish, call<wire::complete_task>},
    {"fail", MessageKind::finish, call<wire::fail_task>},
    {"register", MessageKind::registration, call<wire::register_worker>},
    {"subscribe", MessageKind::subscribe, subscribe},
    {"submit", MessageKind::submit, call<wire::submit_task>},
    {"submit_batch", MessageKind::submit_batch, call<wire::submit_batch>},
    {"cancel", MessageKind::finish, call<wire::cancel_task>},
    {"retry", MessageKind::finish, call<wire::retry_task>},
    {"redrive", MessageKind::select, call<wire::redrive>},
    {"delete", MessageKind::forget, call<wire::delete_task>},
    {"purge", MessageKind::select, call<wire::purge_tasks>},
    {"drain", MessageKind::worker_change, call<wire::drain_worker>},
    {"goodbye", MessageKind::worker_change, call<wire::goodbye>},
    {"claim", MessageKind::claim, call<wire::claim_tasks>},
    {"publish", MessageKind::publish, call<wire::publish_message>},
    {"ack", MessageKind::message_change, call<wire::ack_message>},
    {"subscribe_messages", MessageKind::message_change, call<wire::subscribe_messages>},
    {"unsubscribe_messages", MessageKind::message_change, call<wire::unsubscribe_messages>},
    {"explain", MessageKind::explain, get_task},
    {"events", MessageKind::events, get_task},
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
    case MessageKind::submit:
        return wire::Telling::submission;
    case MessageKind::submit_batch:
        return wire::Telling::batch;
    case MessageKind::select:
        return wire::Telling::selection;
    case MessageKind::claim:
        return wire::Telling::claim;
    case MessageKind::worker_change:
        return wire::Telling::worker_change;
    case MessageKind::publish:
        return wire::Telling::publication;
    case MessageKind::message_change:
    case MessageKind::forget:
    case MessageKind::subscribe:
    case MessageKind::get_task:
    case MessageKind::get_worker:
    case MessageKind::explain:
    case MessageKind::events:
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

/// Why a task waits, or what it was through, as its HTTP call tells it.
std::string insight(const ReplyForm& form, const StateStore& state, const ReplyContext& context)
{
    const Task* task = state.tasks().find(form.subject.task);
    if (!task)
        return refusal(form, wire::task_not_found());
    if (form.request_id.empty())
        return {};
    std::string told;
    if (form.kind == MessageKind::explain)
        wire::append_explanation(told, state, *task, context.now);
    else
        wire::append_events(told, *task);
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "response").raw("requestId", form.request_id).boolean("success", true);
    writer.members(std::string_view(told).substr(1, told.size() - 2));
    writer.close();
    return out;
}

Refusal refused(const ReplyForm& form, const Error& error)
{
    return {error.code, refusal(form, error)};
}

} // namespace

tl::expected<Message, Refusal> read_message(std::string_view text, const Bounds& bounds,
                                            std::string_view own_worker)
{
    auto fields = wire::fields_of(text, bounds.json_depth_max);
    if (!fields)
        return tl::unexpected(Refusal{fields.error().code, wire::error_message(fields.error(), {})});
    ReplyForm form;
    if (const auto checked = check_request_id(fields->request_id); !checked)
        return tl::unexpected(Refusal{checked.error().code, wire::error_message(checked.error(), {})});
    form.request_id = fields->request_id;
    form.subject.task = fields->task_id.empty() ? std::string{} : text_or_nothing(fields->task_id);
    form.subject.worker = fields->worker_id.empty() ? std::string{} : text_or_nothing(fields->worker_id);

    const auto type = type_in(*fields);
    if (!type)
        return tl::unexpected(refused(form, type.error()));
    form.kind = (*type)->kind;
    if (form.kind == MessageKind::heartbeat && form.subject.worker.empty() && !own_worker.empty())
        return Message{Command(Heartbeat{WorkerId(own_worker)}), std::move(form)};
    if (form.kind == MessageKind::claim && form.request_id.empty()) // nobody would hear what was claimed
        return tl::unexpected(refused(form, missing_field("requestId")));
    auto action = (*type)->read(*fields, bounds);
    if (!action)
        return tl::unexpected(refused(form, action.error()));
    if (form.kind == MessageKind::task_update && own_worker.empty())
        return tl::unexpected(refused(form, {ErrorCode::stale_attempt,
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
    if (form.kind == MessageKind::explain || form.kind == MessageKind::events)
        return insight(form, state, context);
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
