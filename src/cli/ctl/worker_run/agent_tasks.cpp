#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"
#include "cli/ctl/worker_run/agent.hpp"
#include "net/rethrow.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

void Agent::on_assigned(const json::object& task)
{
    const auto lease = lease_of(task);
    if (lease.task_id.empty() || already_here(lease))
        return;
    if (leaving_) {
        log(fmt::format("task {}: not begun, since this worker is leaving", printable(lease.task_id)));
        return;
    }
    if (request_.tasks_max > 0 && running_.size() >= request_.tasks_max)
        waiting_.push_back({lease, task});
    else
        start(lease, task);
}

/// Whether this attempt is known, and so is not begun again. What is left of an older one is cleared away.
bool Agent::already_here(const Lease& lease)
{
    if (const auto reported = unconfirmed_.find(lease.task_id); reported != unconfirmed_.end()) {
        if (reported->second.lease.same_attempt(lease)) {
            reported->second.lease.fence = lease.fence;
            report(reported->second);
            return true;
        }
        unconfirmed_.erase(reported);
    }
    if (const auto found = running_.find(lease.task_id); found != running_.end()) {
        auto& running = *found->second;
        if (running.lease.same_attempt(lease)) {
            running.lease.fence = lease.fence;
            send_progress(running);
            return true;
        }
        abandon(lease.task_id, "it was assigned anew");
    }
    std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.lease.task_id == lease.task_id; });
    return false;
}

void Agent::start(const Lease& lease, const json::object& task)
{
    ChildCommand command{.program = request_.program, .command = request_.command, .environment = {}};
    command.environment = {{"COORDINATION_TASK_ID", lease.task_id}, {"COORDINATION_WORKER_ID", request_.id}};
    if (lease.attempt)
        command.environment.emplace_back("COORDINATION_ATTEMPT", std::to_string(*lease.attempt));
    auto process = TaskProcess::start(context_->executor, command, request_.grace);
    const auto running = std::make_shared<Running>(Running{.lease = lease, .process = nullptr});
    running_[lease.task_id] = running;
    ++commands_;
    if (!process) {
        const auto message = fmt::format("cannot start {}: {}", request_.command.front(), process.error());
        on_ended(running, {.completed = false, .detail = {{"message", message}}});
        return;
    }
    running->process = std::move(*process);
    log(fmt::format("task {}: started", printable(lease.task_id)));
    send_progress(*running);
    asio::co_spawn(context_->executor, attend(running, compact_json(task) + "\n"), rethrow);
}

asio::awaitable<void> Agent::attend(std::shared_ptr<Running> running, std::string input)
{
    const auto self = shared_from_this();
    Listener listener{
        .progress = [self, running](double progress) { self->on_progress(*running, progress); },
        .out_line = [self,
                     running](std::string_view line) { self->pass_on(self->context_->out, *running, line); },
        .err_line = [self,
                     running](std::string_view line) { self->pass_on(self->context_->err, *running, line); }};
    auto ending = co_await running->process->attend(std::move(input), std::move(listener));
    on_ended(running, std::move(ending));
}

void Agent::on_ended(const std::shared_ptr<Running>& running, Ending ending)
{
    --commands_;
    const auto& lease = running->lease;
    if (running->abandoned) {
        log(fmt::format("task {}: its command has ended", printable(lease.task_id)));
        if (running->confirms_cancel && registered_)
            static_cast<void>(ws_.send(cancelled_frame(lease)));
    } else {
        log(fmt::format("task {}: {}", printable(lease.task_id),
                        ending.completed ? "completed"
                                         : "failed: " + printable(string_or(ending.detail, "message", ""))));
        if (running->progress_unsent)
            send_progress(*running); // the last word of a command that was quicker than the daemon's answer
        auto& entry = unconfirmed_[lease.task_id] = Report{.lease = lease, .ending = std::move(ending)};
        running_.erase(lease.task_id);
        report(entry);
    }
    start_waiting();
    end_if_done();
}

void Agent::start_waiting()
{
    while (!waiting_.empty() && !leaving_ && running_.size() < request_.tasks_max) {
        const auto next = std::move(waiting_.front());
        waiting_.pop_front();
        start(next.lease, next.task);
    }
}

void Agent::on_progress(Running& running, double progress)
{
    running.progress = progress;
    running.progress_unsent = true;
    if (!running.abandoned && !running.update_unanswered)
        send_progress(running);
}

void Agent::send_progress(Running& running)
{
    if (!registered_)
        return;
    running.progress_unsent = false;
    running.update_unanswered = true;
    static_cast<void>(
        ws_.send(progress_frame(running.lease, running.progress, ask(Asked::progress, running.lease))));
}

void Agent::report(Report& report)
{
    if (!registered_ || report.unanswered)
        return;
    report.unanswered = true;
    static_cast<void>(ws_.send(ending_frame(report.lease, report.ending, ask(Asked::ending, report.lease))));
}

void Agent::send_again_what_is_unanswered()
{
    for (auto& [id, entry] : unconfirmed_)
        report(entry);
}

std::string Agent::ask(Asked asked, const Lease& lease)
{
    auto request_id = std::to_string(++requests_made_);
    requests_.emplace(request_id, Request{asked, lease});
    return request_id;
}

/// The daemon wants a task stopped. Where somebody has cancelled it, it hears when that is so; where its time
/// was over, the lease has ended already.
void Agent::on_cancelled(const json::object& frame)
{
    const auto* task = find_object(frame, "task");
    if (!task)
        return;
    const auto lease = lease_of(*task);
    const bool asked = find_integer(*task, "cancelBy").has_value();
    const auto was_waiting = std::erase_if(
        waiting_, [&](const Waiting& waiting) { return waiting.lease.task_id == lease.task_id; });
    if (was_waiting > 0 && asked)
        static_cast<void>(ws_.send(cancelled_frame(lease)));
    const auto running = running_.find(lease.task_id);
    if (running == running_.end() || !running->second->lease.same_attempt(lease))
        return;
    running->second->confirms_cancel = asked;
    const auto reason = printable(string_or(frame, "reason", ""));
    abandon(lease.task_id, reason.empty() ? "it was cancelled" : reason);
}

void Agent::on_response(const json::object& frame)
{
    const auto found = requests_.find(string_or(frame, "requestId", ""));
    if (found == requests_.end())
        return;
    const auto request = std::move(found->second);
    requests_.erase(found);
    const auto running = running_.find(request.lease.task_id);
    if (request.asked == Asked::progress && running != running_.end())
        running->second->update_unanswered = false;

    const auto* success = find_value(frame, "success");
    if (!success || *success != json::value(true))
        return on_refused(request, frame);
    switch (request.asked) {
    case Asked::progress:
        if (running != running_.end() && running->second->progress_unsent)
            send_progress(*running->second);
        break;
    case Asked::ending:
        if (const auto entry = unconfirmed_.find(request.lease.task_id);
            entry != unconfirmed_.end() && entry->second.lease.same_attempt(request.lease))
            unconfirmed_.erase(entry);
        end_if_done();
        break;
    case Asked::task:
        if (const auto* task = find_object(frame, "task");
            task && string_or(*task, "assignedTo", "") == request_.id)
            on_assigned(*task);
        break;
    }
}

void Agent::on_refused(const Request& request, const json::object& frame)
{
    const auto code = string_or(frame, "code", "");
    if (request.asked == Asked::ending) {
        const auto entry = unconfirmed_.find(request.lease.task_id);
        if (entry == unconfirmed_.end() || !entry->second.lease.same_attempt(request.lease))
            return;
        entry->second.unanswered = false;
        if (may_succeed_later(code))
            return; // with the next heartbeat
        log(fmt::format("task {}: its ending was not taken: {}", printable(request.lease.task_id),
                        refused(frame).message));
        unconfirmed_.erase(entry);
        end_if_done();
        return;
    }
    const auto running = running_.find(request.lease.task_id);
    if (lease_is_lost(code) && running != running_.end() &&
        running->second->lease.same_attempt(request.lease))
        abandon(request.lease.task_id, refused(frame).message);
}

void Agent::on_error(const json::object& frame)
{
    const auto task_id = string_or(frame, "taskId", "");
    const auto code = string_or(frame, "code", "");
    if (lease_is_lost(code) && running_.contains(task_id)) {
        abandon(task_id, refused(frame).message);
        return;
    }
    log(refused(frame).message);
    if (code == "WORKER_NOT_FOUND")
        ws_.abort(); // somebody has signed us off: the next connection registers anew
}

/// Ends the command of a task that is no longer ours.
void Agent::abandon(const std::string& task_id, std::string_view why)
{
    const auto found = running_.find(task_id);
    if (found == running_.end())
        return;
    const auto running = found->second;
    running_.erase(found);
    running->abandoned = true;
    log(fmt::format("task {}: ending its command: {}", printable(task_id), why));
    running->process->terminate();
    start_waiting();
}

/// After a registration: what the daemon says we hold against what we know.
void Agent::settle_held(const json::array& held)
{
    const auto is_held = [&](const std::string& id) {
        return std::ranges::find(held, json::value(id)) != held.end();
    };
    std::erase_if(waiting_, [&](const Waiting& waiting) { return !is_held(waiting.lease.task_id); });
    std::vector<std::string> lost;
    for (const auto& [id, running] : running_)
        if (!is_held(id))
            lost.push_back(id);
    for (const auto& id : lost)
        abandon(id, "the daemon has given it away");
    for (const auto& entry : held) {
        const auto* text = entry.if_string();
        if (!text)
            continue;
        const std::string id(text->begin(), text->end());
        const bool waits =
            std::ranges::any_of(waiting_, [&](const auto& w) { return w.lease.task_id == id; });
        // Held by a worker of this name before us, which had confirmed it: nobody would send
        // it again by himself.
        if (!running_.contains(id) && !unconfirmed_.contains(id) && !waits)
            static_cast<void>(ws_.send(
                get_task_frame(id, ask(Asked::task, Lease{.task_id = id, .attempt = {}, .fence = {}}))));
    }
}

void Agent::pass_on(const Output& output, const Running& running, std::string_view line) const
{
    const auto text = fmt::format("[{}] {}", running.lease.task_id, line);
    output.line(output.is_terminal() ? printable(text) : text);
}

} // namespace coordination::ctl
