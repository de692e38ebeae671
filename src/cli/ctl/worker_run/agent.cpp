#include "cli/ctl/worker_run/agent.hpp"

#include <csignal>
#include <ctime>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/text.hpp"
#include "net/client/parse_object.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;
using net_client::nothrow;

namespace {

/// A malformed registration stays malformed; whatever else is wrong may be over when we come back.
Failure refused_registration(const json::object& frame)
{
    auto failure = refused(frame);
    failure.transient = !is_our_mistake(failure.code);
    return failure;
}

bool is_ignored(int signal)
{
    struct sigaction now{};
    return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

} // namespace

Agent::Agent(ContextPtr context, WorkerRun request)
    : context_(std::move(context)),
      request_(std::move(request)),
      ws_(context_->executor, context_->ws_options()),
      done_(context_->executor, asio::steady_timer::time_point::max()),
      heartbeat_timer_(context_->executor),
      retry_timer_(context_->executor),
      signals_(context_->executor)
{
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        if (number == SIGINT || number == SIGTERM || !is_ignored(number)) // as nohup has it
            signals_.add(number);
}

asio::awaitable<Outcome> Agent::run()
{
    using namespace asio::experimental::awaitable_operators;
    const auto self = shared_from_this();
    co_await (stay_connected() && beat() && obey_signals() && leave_when_done());
    if (!failure_ && !unconfirmed_.empty())
        failure_ =
            Failure{.message = fmt::format("the endings of {} task(s) could not be reported: the daemon will "
                                           "give them to another worker",
                                           unconfirmed_.size())};
    if (failure_)
        co_return tl::unexpected(*failure_);
    co_return Outcome{};
}

asio::awaitable<void> Agent::stay_connected()
{
    while (!stopped_) {
        const auto ended = co_await one_session();
        registered_ = false;
        requests_.clear();
        for (auto& [id, running] : running_)
            running->update_unanswered = false;
        for (auto& [id, report] : unconfirmed_)
            report.unanswered = false;
        if (stopped_)
            co_return;
        if (!ended && !ended.error().transient) { // it answered, and will answer the same again
            failure_ = ended.error();
            hurried_ = leaving_ = true;
            for (auto& [id, running] : running_)
                running->process->terminate();
            end_if_done();
            co_return;
        }
        const auto pause = backoff_.next();
        log(fmt::format("{}; trying again in {:.1f} s", ended.error().message,
                        static_cast<double>(pause.count()) / 1000));
        retry_timer_.expires_after(pause);
        co_await retry_timer_.async_wait(nothrow);
    }
}

/// From the first connect to the loss of the connection: it always ends with why.
asio::awaitable<tl::expected<void, Failure>> Agent::one_session()
{
    const auto connected = co_await ws_.connect();
    if (!connected)
        co_return tl::unexpected(unreachable(connected.error(), context_->settings.ws, "ws"));
    if (stopped_)
        co_return tl::unexpected(Failure{.message = "told to stop", .transient = true});
    if (const auto sent = ws_.send(register_frame(request_)); !sent)
        co_return tl::unexpected(unreachable(sent.error(), context_->settings.ws, "ws"));
    for (;;) {
        const auto text = co_await ws_.receive();
        if (!text)
            co_return tl::unexpected(unreachable(text.error(), context_->settings.ws, "ws"));
        const auto frame = net_client::parse_object(*text);
        if (!frame)
            continue;
        if (!registered_ && string_or(*frame, "type", "") == "error")
            co_return tl::unexpected(refused_registration(*frame));
        on_frame(*frame);
    }
}

asio::awaitable<void> Agent::beat()
{
    while (!stopped_) {
        heartbeat_timer_.expires_after(heartbeat_interval_);
        const auto [cancelled] = co_await heartbeat_timer_.async_wait(nothrow);
        if (cancelled || !registered_)
            continue; // another interval was told, or it is over
        // A frame that cannot be queued ends nothing: the session ends by itself when the connection does.
        static_cast<void>(ws_.send(heartbeat_frame(request_.id)));
        send_again_what_is_unanswered();
    }
}

asio::awaitable<void> Agent::obey_signals()
{
    for (;;) {
        const auto [cancelled, number] = co_await signals_.async_wait(nothrow);
        if (cancelled)
            co_return;
        on_signal(number);
    }
}

/// A terminal that goes, and a Ctrl-\, mean now. Left to the system they would end us alone: the commands
/// have process groups of their own.
void Agent::on_signal(int number)
{
    hurried_ = leaving_ || number == SIGHUP || number == SIGQUIT;
    leaving_ = true;
    waiting_.clear(); // never started: given back when this worker signs off
    if (hurried_) {
        for (auto& [id, running] : std::exchange(running_, {})) {
            running->abandoned = true;
            running->process->terminate();
        }
        log(fmt::format("ending {} command(s) and leaving", commands_));
    } else if (commands_ > 0) {
        log(fmt::format("finishing {} task(s), then leaving; once more to end them now", commands_));
    }
    end_if_done();
}

void Agent::end_if_done()
{
    if (leaving_ && commands_ == 0 && (hurried_ || unconfirmed_.empty()))
        done_.cancel();
}

asio::awaitable<void> Agent::leave_when_done()
{
    while (!(leaving_ && commands_ == 0 && (hurried_ || unconfirmed_.empty())))
        co_await done_.async_wait(nothrow);
    co_await sign_off();
    stopped_ = true;
    co_await ws_.close();
    ws_.abort();
    retry_timer_.cancel();
    heartbeat_timer_.cancel();
    signals_.cancel();
}

/// So that the daemon gives back at once what this worker still holds.
asio::awaitable<void> Agent::sign_off()
{
    if (!known_to_daemon_)
        co_return;
    const auto answer =
        co_await post(context_, "/api/workers/unregister", json::object{{"workerId", request_.id}});
    if (answer)
        log("left");
    else
        log("left without signing off: " + answer.error().message);
}

void Agent::on_frame(const json::object& frame)
{
    const auto type = string_or(frame, "type", "");
    if (type == "registered")
        on_registered(frame);
    else if (type == "task_assigned") {
        if (const auto* task = find_object(frame, "task"))
            on_assigned(*task);
    } else if (type == "task_cancelled")
        on_cancelled(frame);
    else if (type == "response")
        on_response(frame);
    else if (type == "error")
        on_error(frame);
}

void Agent::on_registered(const json::object& frame)
{
    registered_ = true;
    known_to_daemon_ = true;
    backoff_.reset();
    if (const auto told = find_integer(frame, "heartbeatInterval"); told && *told > 0)
        heartbeat_interval_ = std::chrono::milliseconds{*told};
    heartbeat_timer_.cancel(); // begins anew with the interval that was told
    log(fmt::format("registered at ws://{} as {}, a heartbeat every {:.1f} s",
                    context_->settings.ws.authority(), printable(request_.id),
                    static_cast<double>(heartbeat_interval_.count()) / 1000));
    if (const auto* held = find_array(frame, "tasks"))
        settle_held(*held);
    for (auto& [id, running] : running_)
        send_progress(*running);
    send_again_what_is_unanswered();
}

void Agent::log(std::string_view line) const
{
    context_->err.line(fmt::format("{:%H:%M:%S} {}", fmt::localtime(std::time(nullptr)), line));
}

} // namespace coordination::ctl
