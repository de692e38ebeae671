#include "net/http/routes.hpp"

#include "core/json/records.hpp"
#include "core/json/slice.hpp"
#include "net/http/lists.hpp"
#include "net/wire/commands.hpp"
#include "net/wire/errors.hpp"
#include "net/wire/insight.hpp"
#include "net/wire/life.hpp"
#include "net/wire/messages.hpp"
#include "version.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/verb.hpp>

#include <array>
#include <utility>

namespace coordination {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

template <wire::Telling telling>
Response render_outcome(const Result& result, const StateStore& state, const ReplyContext& context)
{
    if (!result)
        return failure_response(result.error());
    Response response;
    json::ObjectWriter writer(response.body);
    writer.boolean("success", true);
    wire::append_outcome(writer, telling, *result, state, context);
    writer.close();
    return response;
}

/// A call that nobody else will count.
Response refused(const RoutedRequest& request, const Error& error)
{
    request.context.metrics.limits.count(error.code);
    return failure_response(error);
}

/// A POST whose body is a call.
template <auto parse, wire::Telling telling>
Answer call(const RoutedRequest& request)
{
    const auto bounds = request.context.bounds();
    const std::string_view body = json::trimmed(request.message.body());
    const auto fields = wire::fields_of(body.empty() ? "{}" : body, bounds.json_depth_max);
    if (!fields)
        return refused(request, fields.error());
    auto command = parse(*fields, bounds);
    if (!command)
        return refused(request, command.error());
    return Ask{Command(std::move(*command)), render_outcome<telling>};
}

Answer health(const RoutedRequest& request)
{
    const auto& context = request.context;
    const auto health = context.hooks.health();
    Response response;
    response.status = health.status == "healthy" ? 200 : 503;
    json::ObjectWriter writer(response.body);
    writer.string("status", health.status)
        .number("uptime", (context.clock.now() - context.metrics.started_at).count())
        .string("version", version);
    if (!health.reason.empty())
        writer.string("reason", health.reason);
    if (health.synced != 0)
        writer.number("syncedRevision", health.synced)
            .number("oldestUnsyncedAge", health.oldest_unsynced.count());
    writer.close();
    return response;
}

Answer metrics(const RoutedRequest& request)
{
    return Ask{{},
               [&metrics = request.context.metrics](const Result&, const StateStore& state,
                                                    const ReplyContext& reply) {
                   return Response{.body = metrics_json(metrics, state, reply.now)};
               }};
}

Answer prometheus(const RoutedRequest& request)
{
    return Ask{{},
               [&metrics = request.context.metrics](const Result&, const StateStore& state,
                                                    const ReplyContext& reply) {
                   return Response{.body = metrics_prometheus(metrics, state, reply.now),
                                   .content_type = "text/plain; version=0.0.4; charset=utf-8"};
               }};
}

Answer one_worker(const RoutedRequest& request)
{
    return Ask{{},
               [id = std::string(request.id)](const Result&, const StateStore& state, const ReplyContext&) {
                   const Worker* worker = state.workers().find(id);
                   if (!worker)
                       return failure_response(wire::worker_not_found());
                   Response response;
                   json::append_worker(response.body, *worker);
                   return response;
               }};
}

/// What `tell` appends to the body about the task that the path names.
template <class Tell>
Answer about_task(const RoutedRequest& request, Tell tell)
{
    return Ask{{},
               [id = std::string(request.id), tell](const Result&, const StateStore& state,
                                                    const ReplyContext& reply) {
                   const Task* task = state.tasks().find(id);
                   if (!task)
                       return failure_response(wire::task_not_found());
                   Response response;
                   tell(response.body, state, *task, reply.now);
                   return response;
               }};
}

Answer one_task(const RoutedRequest& request)
{
    return about_task(request, [](std::string& body, const StateStore&, const Task& task, Timestamp) {
        json::append_task(body, task);
    });
}

Answer explain_task(const RoutedRequest& request)
{
    return about_task(request, wire::append_explanation);
}

Answer task_events(const RoutedRequest& request)
{
    return about_task(request, [](std::string& body, const StateStore&, const Task& task, Timestamp) {
        wire::append_events(body, task);
    });
}

asio::awaitable<void> take_snapshot(ServerContext* context, ResponseWriter* out)
{
    const auto taken = co_await context->hooks.snapshot();
    if (taken)
        out->whole({.body = R"({"success":true,"message":"Snapshot created"})"});
    else
        out->whole(failure_response(taken.error()));
}

Answer snapshot(const RoutedRequest& request)
{
    return [context = &request.context](ResponseWriter* out) { return take_snapshot(context, out); };
}

struct Route {
    http::verb method;
    std::string_view path;
    Answer (*handler)(const RoutedRequest&);
};

constexpr std::array<Route, 30> routes{{
    {http::verb::get, "/health", health},
    {http::verb::get, "/metrics", prometheus},
    {http::verb::get, "/api/metrics", metrics},
    {http::verb::get, "/api/state", whole_state},
    {http::verb::get, "/api/workers", list_workers},
    {http::verb::get, "/api/workers/{id}", one_worker},
    {http::verb::get, "/api/tasks", list_tasks},
    {http::verb::get, "/api/tasks/{id}", one_task},
    {http::verb::post, "/api/workers/register", call<wire::register_worker, wire::Telling::registration>},
    {http::verb::post, "/api/workers/unregister", call<wire::unregister_worker, wire::Telling::done>},
    {http::verb::post, "/api/workers/heartbeat", call<wire::heartbeat, wire::Telling::heartbeat>},
    {http::verb::post, "/api/tasks/assign", call<wire::assign_task, wire::Telling::assignment>},
    {http::verb::post, "/api/tasks/complete", call<wire::complete_task, wire::Telling::task_change>},
    {http::verb::post, "/api/tasks/fail", call<wire::fail_task, wire::Telling::task_change>},
    {http::verb::get, "/api/tasks/{id}/explain", explain_task},
    {http::verb::get, "/api/tasks/{id}/events", task_events},
    {http::verb::post, "/api/workers/drain", call<wire::drain_worker, wire::Telling::worker_change>},
    {http::verb::post, "/api/workers/goodbye", call<wire::goodbye, wire::Telling::worker_change>},
    {http::verb::post, "/api/tasks/submit", call<wire::submit_task, wire::Telling::submission>},
    {http::verb::post, "/api/tasks/submit-batch", call<wire::submit_batch, wire::Telling::batch>},
    {http::verb::post, "/api/tasks/claim", call<wire::claim_tasks, wire::Telling::claim>},
    {http::verb::post, "/api/tasks/update", call<wire::update_task, wire::Telling::task_change>},
    {http::verb::post, "/api/tasks/cancel", call<wire::cancel_task, wire::Telling::task_change>},
    {http::verb::post, "/api/tasks/retry", call<wire::retry_task, wire::Telling::task_change>},
    {http::verb::post, "/api/tasks/redrive", call<wire::redrive, wire::Telling::selection>},
    {http::verb::post, "/api/tasks/delete", call<wire::delete_task, wire::Telling::done>},
    {http::verb::post, "/api/tasks/purge", call<wire::purge_tasks, wire::Telling::selection>},
    {http::verb::post, "/api/messages/publish", call<wire::publish_message, wire::Telling::publication>},
    {http::verb::post, "/api/messages/ack", call<wire::ack_message, wire::Telling::done>},
    {http::verb::post, "/api/snapshot", snapshot},
}};

/// Whether the pattern names the path; `{id}` in it names any segment, which then is in `id`.
bool matches(std::string_view pattern, const std::vector<std::string>& path, std::string_view& id)
{
    for (const auto& segment : path) {
        if (pattern.empty())
            return false;
        pattern.remove_prefix(1); // the slash
        const auto expected = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(expected.size());
        if (expected == "{id}")
            id = segment;
        else if (expected != segment)
            return false;
    }
    return pattern.empty();
}

bool says_json(std::string_view content_type)
{
    const auto type = json::trimmed(content_type.substr(0, content_type.find(';')));
    return boost::beast::iequals(type, "application/json");
}

Response method_not_allowed(bool get, bool post)
{
    auto response = failure_response({ErrorCode::method_not_allowed, "this path does not take that method"});
    response.headers =
        get && post ? "Allow: GET, HEAD, POST\r\n" : (get ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n");
    return response;
}

} // namespace

Answer answer_request(const HttpRequest& message, ServerContext& context)
{
    const auto target = parse_target(message.target());
    if (!target)
        return failure_response(invalid_field("the path", "percent-encoded and begin with a slash"));
    const auto method = message.method() == http::verb::head ? http::verb::get : message.method();
    bool get = false;
    bool post = false;
    for (const auto& route : routes) {
        std::string_view id;
        if (!matches(route.path, target->path, id))
            continue;
        if (route.method != method) {
            (route.method == http::verb::get ? get : post) = true;
            continue;
        }
        const auto content_type = message.find(http::field::content_type);
        if (method == http::verb::post && content_type != message.end() && !says_json(content_type->value()))
            return failure_response(
                {ErrorCode::unsupported_media_type, "the body must be of the type application/json"});
        return route.handler({message, *target, id, context});
    }
    if (get || post)
        return method_not_allowed(get, post);
    return failure_response({ErrorCode::not_found, "there is nothing at this path"});
}

} // namespace coordination
