#include "net/client/client_core.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>

#include "net/client/task_frames.hpp"
#include "net/rethrow.hpp"

namespace coordination::net_client {

namespace asio = boost::asio;
namespace json = boost::json;

void ClientCore::on_assigned(const json::object& task)
{
    const auto lease = lease_of(task);
    if (lease.task_id.empty() || life_ != Life::running || already_here(lease))
        return;
    start(book_.hold(lease, task));
}

/// Whether this attempt is known, and so no handler is called for it again. What is left of an older one is
/// cleared away.
bool ClientCore::already_here(const Lease& lease)
{
    TaskRef ref(lease.task_id);
    ref.attempt = lease.attempt;
    if (const auto* past = book_.find_past(ref); past && past->ending && past->lease.fence == lease.fence) {
        // Confirmed once, and forgotten by a daemon that lost its latest state.
        ask({.about = Request::About::ending, .body = *past->ending, .lease = lease});
        return true;
    }
    auto* held = book_.find(lease.task_id);
    if (!held)
        return false;
    if (held->lease.same_attempt(lease)) {
        held->lease.fence = held->task.fence = lease.fence;
        requests_.adopt(lease);
        if (!held->ending)
            report_progress(*held, {}, {});
        return true;
    }
    if (lease.attempt < held->lease.attempt)
        return true; // told late
    abandon(Lease(held->lease), {.kind = CallErrorKind::lease_lost, .message = "it was assigned anew"});
    return false;
}

void ClientCore::start(const HeldTask& held)
{
    const auto task = held.task;
    count([&](ClientMetrics& metrics) {
        ++metrics.tasks_assigned;
        metrics.tasks_held = book_.held().size();
    });
    report_progress(*book_.find(task.id), {}, {});
    if (events.serve_task) {
        asio::co_spawn(task_executor_, serve(shared_from_this(), task), rethrow);
    } else if (events.task_assigned) {
        asio::post(task_executor_, [self = shared_from_this(), task] {
            if (self->let_go_)
                return;
            try {
                self->events.task_assigned(task);
            } catch (...) {
                const auto failure = self->failure_of_handler();
                self->report(failure);
                asio::post(self->strand_, [self, task, failure] {
                    self->on_served(
                        task, tl::unexpected(json::value(error_object(failure.message, "HANDLER_FAILED"))));
                });
            }
        });
    } else {
        on_served(task, tl::unexpected(
                            json::value(error_object("this worker has no handler for tasks", "NO_HANDLER"))));
    }
}

asio::awaitable<void> ClientCore::serve(std::shared_ptr<ClientCore> self, AssignedTask task)
{
    if (self->let_go_)
        co_return;
    TaskEnding ending;
    try {
        auto told = co_await self->events.serve_task(task);
        ending = std::move(told);
    } catch (...) {
        const auto failure = self->failure_of_handler();
        self->report(failure);
        ending = tl::unexpected(json::value(error_object(failure.message, "HANDLER_FAILED")));
    }
    // Not before what the handler asked for last, which was posted too.
    asio::post(self->strand_, [self, task, ending = std::move(ending)]() mutable {
        self->on_served(task, std::move(ending));
    });
}

/// A handler is through: its word is taken, whatever waits already, since nobody could say it again.
void ClientCore::on_served(const AssignedTask& task, TaskEnding ending)
{
    auto* held = book_.find(TaskRef(task));
    if (!held || held->ending)
        return;
    auto body = held->cancel_asked ? stopped_body(task.id) : ending_body(task.id, ending);
    if (const auto room = requests_.has_room_for(body);
        !room && room.error().kind == CallErrorKind::too_large) {
        report(room.error());
        body = ending_body(
            task.id, tl::unexpected(json::value(error_object(room.error().message, "RESULT_TOO_LARGE"))));
    }
    report_ending(*held, std::move(body), {});
}

void ClientCore::update(const TaskRef& task, std::string_view status, json::object data, Reply reply)
{
    auto* held = book_.find(task);
    if (status == "completed") {
        auto* result = data.if_contains("result");
        return end(task, result ? std::move(*result) : json::value(), std::move(reply));
    }
    if (status == "failed") {
        auto* error = data.if_contains("error");
        return end(task, tl::unexpected(error ? std::move(*error) : json::value()), std::move(reply));
    }
    if (!held || held->ending)
        return reply(tl::unexpected(not_held(task)));
    if (status == "cancelled")
        return report_ending(*held, stopped_body(task.id), std::move(reply));
    if (!status.empty() && status != "in_progress")
        return reply(tl::unexpected(
            CallError{.kind = CallErrorKind::invalid,
                      .message = "status must be in_progress, completed, failed or cancelled"}));
    report_progress(*held, std::move(data), std::move(reply));
}

void ClientCore::end(const TaskRef& task, TaskEnding ending, Reply reply)
{
    if (options_.worker_id.empty()) { // an orchestrator's word counts as over HTTP
        json::object frame{{"type", ending ? "complete" : "fail"}, {"taskId", task.id}};
        frame[ending ? "result" : "error"] = ending ? std::move(*ending) : std::move(ending.error());
        return call(frame, std::move(reply));
    }
    auto* held = book_.find(task);
    const auto* past = held ? nullptr : book_.find_past(task);
    if (!held && (!past || !past->ending))
        return reply(tl::unexpected(not_held(task)));
    auto body = held && held->cancel_asked ? stopped_body(task.id) : ending_body(task.id, ending);
    if (const auto room = requests_.has_room_for(body); !room)
        return reply(tl::unexpected(room.error()));
    if (held && !held->ending)
        return report_ending(*held, std::move(body), std::move(reply));
    Request again{
        .about = Request::About::call, .body = std::move(body), .lease = held ? held->lease : past->lease};
    again.replies.push_back(std::move(reply));
    ask(std::move(again));
}

/// The latest progress of a task takes the place of one that waits unsent, for handlers that are chatty.
void ClientCore::report_progress(HeldTask& held, json::object data, Reply reply)
{
    if (held.progress && !data.contains("progress"))
        data["progress"] = *held.progress;
    data["type"] = "task_update";
    data["taskId"] = held.lease.task_id;
    data["status"] = "in_progress";
    auto body = body_of(data);
    const auto older = requests_.find_unsent_progress(held.lease);
    if (const auto room = requests_.has_room_for(body, older); !room)
        return reply(tl::unexpected(room.error()));
    if (const auto* progress = data.if_contains("progress"))
        held.progress = *progress;
    Request request{.about = Request::About::progress, .body = std::move(body), .lease = held.lease};
    if (older)
        request.replies = std::move(requests_.take(*older)->replies);
    if (reply.is_awaited())
        request.replies.push_back(std::move(reply));
    for (auto& surplus : requests_.take_surplus(request))
        surplus(tl::unexpected(CallError{.kind = CallErrorKind::queue_full,
                                         .message = "later progress has taken its place, and no more calls "
                                                    "may wait"}));
    ask(std::move(request));
}

void ClientCore::report_ending(HeldTask& held, std::string body, Reply reply, bool is_last_word)
{
    held.ending = body;
    Request request{.about = Request::About::ending,
                    .body = std::move(body),
                    .lease = held.lease,
                    .is_last_word = is_last_word};
    request.replies.push_back(std::move(reply));
    ask(std::move(request));
}

/// The daemon has taken an ending, or refused it.
void ClientCore::on_reported(RequestId id, const Answer& answer)
{
    if (!answer && may_succeed_later(answer.error().code))
        return requests_.delay(id); // until the next heartbeat
    auto request = std::move(*requests_.take(id));
    const auto lease = *request.lease;
    auto* held = book_.find(lease);
    auto outcome = answer;
    if (answer && held) {
        count_ended(*answer);
        book_.end(lease, std::move(held->ending));
    } else if (!answer && (lease_is_lost(answer.error().code) || request.is_last_word)) {
        outcome.error().kind = CallErrorKind::lease_lost;
        abandon(lease, outcome.error());
    } else if (!answer && held) { // what it says is wrong, the task is still ours
        report(answer.error());
        held->ending.reset();
        if (std::ranges::none_of(request.replies,
                                 &Reply::is_awaited)) // a handler's, which cannot say it again
            report_ending(*held,
                          ending_body(lease.task_id, tl::unexpected(json::value(error_object(
                                                         answer.error().message, "RESULT_REFUSED")))),
                          {}, true);
    }
    answer_with(std::move(request), outcome);
}

void ClientCore::count_ended(const json::object& answer)
{
    const auto* task = find_object(answer, "task");
    const auto status = task ? string_or(*task, "status", "") : "";
    count([&](ClientMetrics& metrics) {
        metrics.tasks_completed += status == "completed" ? 1 : 0;
        metrics.tasks_cancelled += status == "cancelled" ? 1 : 0;
        metrics.tasks_failed += status != "completed" && status != "cancelled" ? 1 : 0;
        metrics.tasks_held = book_.held().size() - 1;
    });
}

void ClientCore::on_held_task(const Answer& answer)
{
    const auto* task = answer ? find_object(*answer, "task") : nullptr;
    const auto status = task ? string_or(*task, "status", "") : "";
    if ((status == "assigned" || status == "in_progress") &&
        string_or(*task, "assignedTo", "") == options_.worker_id)
        on_assigned(*task);
}

/// The daemon wants a task stopped. Where somebody has cancelled it, it hears when that is so; where its time
/// was over, the lease has ended already.
void ClientCore::on_cancelled(const json::object& frame, std::size_t bytes)
{
    const auto* task = find_object(frame, "task");
    if (!task)
        return;
    const auto lease = lease_of(*task);
    const bool asked = find_integer(*task, "cancelBy").has_value();
    const auto reason = string_or(frame, "reason", "");
    auto* held = book_.find(lease);
    if (!held) {
        if (asked && !book_.find(lease.task_id)) // nothing runs here that would have to stop
            ask({.about = Request::About::call, .body = stopped_body(lease.task_id), .lease = lease});
        return;
    }
    if (held->ending || held->cancel_asked)
        return;
    if (!tell_in(events_room_, bytes, events.task_cancelled, held->task, reason))
        count([](ClientMetrics& metrics) { ++metrics.events_dropped; });
    if (!asked)
        return abandon(lease, {.kind = CallErrorKind::lease_lost,
                               .message = reason.empty() ? "the daemon has taken it back" : reason});
    held->cancel_asked = true;
    auto stop = held->stop; // what it calls may end the task
    stop.request_stop();
}

/// After a registration: what the daemon says we hold against what we know.
void ClientCore::settle_held(const json::array& held)
{
    for (const auto& lease : book_.not_among(held))
        abandon(lease,
                {.kind = CallErrorKind::lease_lost, .message = "the daemon has given it to another worker"});
    for (const auto& entry : held) {
        const auto* text = entry.if_string();
        if (!text || book_.find(std::string(text->data(), text->size())))
            continue;
        // Held by a worker of this name before us, which had begun it: nobody would send it again by himself.
        ask({.about = Request::About::held_task,
             .body = body_of({{"type", "get_task"}, {"taskId", *text}}),
             .repeatable = false});
    }
}

/// The task is this worker's no more: its handler is told by the stop token, and nobody waits for its end.
void ClientCore::abandon(const Lease& lease, CallError why)
{
    why.kind = why.kind == CallErrorKind::refused ? CallErrorKind::lease_lost : why.kind;
    auto* held = book_.find(lease);
    if (!held)
        return;
    auto stop = held->stop;
    book_.end(lease, std::nullopt);
    count([&](ClientMetrics& metrics) {
        metrics.leases_lost += why.kind == CallErrorKind::lease_lost ? 1 : 0;
        metrics.tasks_held = book_.held().size();
    });
    answer_all(requests_.take_progress(lease), why);
    if (why.kind == CallErrorKind::lease_lost)
        report({.kind = why.kind, .code = why.code, .message = "task " + lease.task_id + ": " + why.message});
    stop.request_stop();
}

void ClientCore::abandon_all(const CallError& why)
{
    std::vector<Lease> running;
    for (const auto& [id, held] : book_.held())
        if (!held.ending)
            running.push_back(held.lease);
    for (const auto& lease : running)
        abandon(lease, why);
}

/// What was reported and not confirmed may be asked for again.
void ClientCore::forget_reported()
{
    std::vector<Lease> reported;
    for (const auto& [id, held] : book_.held())
        reported.push_back(held.lease);
    for (const auto& lease : reported)
        book_.end(lease, std::move(book_.find(lease)->ending));
    count([](ClientMetrics& metrics) { metrics.tasks_held = 0; });
}

CallError ClientCore::not_held(const TaskRef& task) const
{
    return {.kind = CallErrorKind::lease_lost, .message = "this worker does not hold task " + task.id};
}

} // namespace coordination::net_client
