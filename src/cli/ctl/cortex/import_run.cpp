#include "cli/ctl/cortex/import_run.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;
using net_client::nothrow;

ImportRun::ImportRun(ContextPtr context, Import request, CortexQueue queue, std::vector<PlannedTask> plan)
    : context_(std::move(context)),
      request_(std::move(request)),
      queue_(std::move(queue)),
      plan_(std::move(plan)),
      tracked_(queue_.tasks.size()),
      progress_(std::make_unique<ImportProgress>(context_->err, context_->settings.json)),
      ws_(context_->executor, context_->ws_options()),
      change_(context_->executor, asio::steady_timer::time_point::max()),
      retry_(context_->executor),
      signals_(context_->executor, SIGINT, SIGTERM)
{
    for (std::size_t i = 0; i < queue_.tasks.size(); ++i)
        index_of_.emplace(queue_.tasks[i].id, i);
    for (const auto& planned : plan_)
        tracked_[planned.index].handling = planned.handling;
    summary_.file = request_.path;
    summary_.tasks = queue_.tasks.size();
}

asio::awaitable<Outcome> ImportRun::run()
{
    using namespace asio::experimental::awaitable_operators;
    const auto self = shared_from_this();
    const auto subscribed = co_await subscribe(); // before the first look, so that nothing falls in between
    if (!subscribed)
        co_return tl::unexpected(subscribed.error());
    auto outcome = co_await (carry_out() && follow() && obey_signals());
    progress_->clear();
    sum_up();
    co_return outcome;
}

asio::awaitable<Outcome> ImportRun::carry_out()
{
    auto outcome = co_await look_at_all();
    for (auto& seen : tracked_) {
        seen.was_there = seen.standing != Standing::absent && seen.standing != Standing::pending;
        seen.ended_before = seen.standing == Standing::completed || seen.standing == Standing::failed;
    }
    if (outcome)
        outcome = co_await import_finished();
    while (outcome && !interrupted_) {
        changed_ = false;
        if (std::exchange(look_again_, false))
            outcome = co_await look_at_all();
        if (outcome)
            outcome = co_await hand_out_what_can_go();
        if (!outcome && outcome.error().transient) {
            progress_->notice(outcome.error().message + "; going on when it is back");
            look_again_ = true;
            ws_.abort(); // follow() comes back, with growing pauses, and wakes us
            outcome = Outcome{};
        }
        show();
        if (!outcome || over())
            break;
        tell_what_is_missing();
        co_await wait_for_change();
    }
    stopped_ = true;
    co_await ws_.close();
    stop();
    co_return outcome;
}

asio::awaitable<Outcome> ImportRun::look_at_all()
{
    for (std::size_t i = 0; i < tracked_.size() && !interrupted_; ++i) {
        const auto standing = tracked_[i].standing;
        if (standing == Standing::completed || standing == Standing::failed)
            continue;
        const auto looked = co_await look_at(i);
        if (!looked)
            co_return looked;
    }
    co_return Outcome{};
}

asio::awaitable<Outcome> ImportRun::look_at(std::size_t index)
{
    const auto answer = co_await get(context_, target_of("/api/tasks", task(index).id));
    if (answer)
        take(index, *answer);
    else if (answer.error().code == "TASK_NOT_FOUND")
        tracked_[index].standing = Standing::absent;
    else
        co_return tl::unexpected(answer.error());
    co_return Outcome{};
}

asio::awaitable<Outcome> ImportRun::hand_out_what_can_go()
{
    full_.clear();
    for (const auto& planned : plan_) {
        if (interrupted_)
            break;
        const bool go = may_go(planned);
        if (!go)
            continue;
        const auto handed = co_await hand_out(&planned);
        if (!handed)
            co_return handed;
        show();
    }
    co_return Outcome{};
}

/// Whether the task is to be tried now. Gives it up where what it waits for has not completed.
bool ImportRun::may_go(const PlannedTask& planned)
{
    auto& seen = tracked_[planned.index];
    const bool open = seen.standing == Standing::absent || seen.standing == Standing::pending;
    if (planned.handling != Handling::hand_out || !open || seen.given_up)
        return false;
    bool ready = true;
    for (const auto dependency : planned.waits_for) {
        const auto& other = tracked_[dependency];
        if (other.standing == Standing::failed || other.given_up) {
            seen.given_up = true;
            summary_.blocked.push_back(task(planned.index).id);
            progress_->notice(fmt::format("{} is not handed out, since {} did not complete",
                                          printable(task(planned.index).id), printable(task(dependency).id)));
            return false;
        }
        const bool will_come = other.standing != Standing::absent || other.handling == Handling::hand_out;
        ready = ready && (other.standing == Standing::completed || !will_come);
    }
    return ready && !full_.contains(capabilities_asked(planned.index));
}

std::string ImportRun::capabilities_asked(std::size_t index) const
{
    const auto* own = find_value(task(index).fields, "capabilities");
    return own ? compact_json(*own) : task(index).type;
}

asio::awaitable<Outcome> ImportRun::hand_out(const PlannedTask* planned)
{
    const auto index = planned->index;
    const auto& id = task(index).id;
    const auto answer = co_await post(context_, "/api/tasks/assign", assign_request(task(index)));
    auto& seen = tracked_[index];
    if (answer) {
        if (seen.standing == Standing::absent ||
            seen.standing == Standing::pending) // it may have ended meanwhile
            seen.standing = Standing::held;
        seen.handed_out = true;
        progress_->event(
            fmt::format("{} assigned to {}", printable(id), printable(string_or(*answer, "workerId", "?"))));
        co_return Outcome{};
    }
    const auto& failure = answer.error();
    if (failure.transient)
        co_return tl::unexpected(failure);
    if (failure.code == "NO_AVAILABLE_WORKERS") {
        full_.insert(capabilities_asked(index));
    } else if (failure.code == "TASK_CONFLICT") { // somebody else has handed it out since we looked
        seen.was_there = true;
        const auto looked = co_await look_at(index);
        co_return looked;
    } else {
        seen.given_up = true;
        summary_.refused.emplace_back(id, failure.message);
        progress_->notice(fmt::format("{} was not taken: {}", printable(id), failure.message));
    }
    co_return Outcome{};
}

asio::awaitable<void> ImportRun::wait_for_change()
{
    while (!changed_ && !interrupted_)
        co_await change_.async_wait(nothrow);
}

bool ImportRun::over() const
{
    return std::ranges::all_of(plan_, [&](const PlannedTask& planned) {
        const auto& seen = tracked_[planned.index];
        const bool ended =
            seen.standing == Standing::completed || seen.standing == Standing::failed || seen.given_up;
        return planned.handling != Handling::hand_out || ended ||
               (request_.no_wait && seen.standing == Standing::held);
    });
}

void ImportRun::show() const
{
    ImportCounts counts;
    for (const auto& planned : plan_) {
        if (planned.handling != Handling::hand_out)
            continue;
        const auto& seen = tracked_[planned.index];
        ++counts.total;
        if (seen.standing == Standing::completed || seen.standing == Standing::failed || seen.given_up)
            ++counts.ended;
        else if (seen.standing == Standing::held)
            ++counts.running;
    }
    progress_->update(counts);
}

/// Says once, and again when it changes, what nobody is there for, so that nobody wonders why nothing moves.
void ImportRun::tell_what_is_missing()
{
    const bool moving =
        std::ranges::any_of(tracked_, [](const Tracked& seen) { return seen.standing == Standing::held; });
    std::string missing;
    if (!moving)
        for (const auto& capabilities : full_)
            missing += (missing.empty() ? "" : ", ") + printable(capabilities);
    if (!missing.empty() && missing != missing_told_)
        progress_->notice(fmt::format("Waiting for a worker with room that can do: {}", missing));
    missing_told_ = missing;
}

void ImportRun::sum_up()
{
    for (const auto& planned : plan_) {
        const auto& seen = tracked_[planned.index];
        const auto& id = task(planned.index).id;
        if (planned.handling == Handling::leave_alone)
            summary_.left_alone.push_back(id);
        else
            summary_.already_there += seen.was_there ? 1 : 0;
        if (planned.handling != Handling::hand_out)
            continue;
        summary_.handed_out += seen.handed_out ? 1 : 0;
        summary_.completed += seen.standing == Standing::completed && !seen.ended_before ? 1 : 0;
        summary_.failed += seen.standing == Standing::failed && !seen.ended_before ? 1 : 0;
        summary_.running += seen.standing == Standing::held ? 1 : 0;
        const bool open = seen.standing == Standing::absent || seen.standing == Standing::pending;
        summary_.waiting += open && !seen.given_up ? 1 : 0;
        if (!seen.handed_out)
            continue;
        for (const auto dependency : planned.waits_for)
            if (tracked_[dependency].standing == Standing::absent)
                summary_.unchecked.emplace_back(id, task(dependency).id);
        for (const auto& name : planned.unknown_dependencies)
            summary_.unchecked.emplace_back(id, name);
    }
}

} // namespace coordination::ctl
