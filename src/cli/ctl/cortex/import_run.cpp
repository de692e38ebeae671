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

/// All that the daemon does not have goes there at once, with what it waits for: the daemon does the rest.
asio::awaitable<Outcome> ImportRun::hand_out_what_can_go()
{
    std::vector<std::size_t> batch;
    bool any = false;
    for (const auto index : in_order_of_dependency()) {
        if (interrupted_)
            break;
        batch.push_back(index);
        any = true;
        if (batch.size() < batch_max)
            continue;
        const auto handed = co_await hand_out(std::exchange(batch, {}));
        if (!handed)
            co_return handed;
        show();
    }
    if (!batch.empty()) {
        const auto handed = co_await hand_out(std::move(batch));
        if (!handed)
            co_return handed;
    }
    if (!any)
        co_return Outcome{};
    const auto looked = co_await look_at_all(); // some have begun by now
    co_return looked;
}

/// What is to be handed in, each task behind those it waits for; urgent ones first where that leaves a
/// choice.
std::vector<std::size_t> ImportRun::in_order_of_dependency() const
{
    std::unordered_map<std::size_t, const PlannedTask*> open;
    for (const auto& planned : plan_) {
        const auto& seen = tracked_[planned.index];
        if (planned.handling == Handling::hand_out && seen.standing == Standing::absent && !seen.given_up)
            open.emplace(planned.index, &planned);
    }
    std::vector<std::size_t> order;
    std::vector<std::size_t> path; // the plan has no circle, so that it ends
    for (const auto& planned : plan_) {
        path.push_back(planned.index);
        while (!path.empty()) {
            const auto entry = open.find(path.back());
            if (entry == open.end()) {
                path.pop_back();
                continue;
            }
            const auto& waits_for = entry->second->waits_for;
            const auto first =
                std::ranges::find_if(waits_for, [&](std::size_t i) { return open.contains(i); });
            if (first != waits_for.end()) {
                path.push_back(*first);
                continue;
            }
            order.push_back(path.back());
            open.erase(entry);
            path.pop_back();
        }
    }
    return order;
}

std::string ImportRun::capabilities_asked(std::size_t index) const
{
    const auto* own = find_value(task(index).fields, "capabilities");
    return own ? compact_json(*own) : task(index).type;
}

json::object ImportRun::submission(std::size_t index) const
{
    auto request = assign_request(task(index));
    json::array depends_on;
    const auto planned = std::ranges::find(plan_, index, &PlannedTask::index);
    for (const auto dependency : planned->waits_for) {
        const auto& other = tracked_[dependency];
        if (other.standing != Standing::absent || (other.handling == Handling::hand_out && !other.given_up))
            depends_on.emplace_back(task(dependency).id);
    }
    if (!depends_on.empty())
        request["dependsOn"] = std::move(depends_on);
    return request;
}

asio::awaitable<Outcome> ImportRun::hand_out(std::vector<std::size_t> batch)
{
    json::array tasks;
    for (const auto index : batch)
        tasks.push_back(submission(index));
    const auto answer =
        co_await post(context_, "/api/tasks/submit-batch", json::object{{"tasks", std::move(tasks)}});
    if (answer) {
        for (const auto index : batch)
            note_submitted(index);
        co_return Outcome{};
    }
    if (answer.error().transient)
        co_return tl::unexpected(answer.error());
    for (const auto index : batch) { // one of them is the reason: the others shall not suffer for it
        const auto handed = co_await hand_out_alone(index);
        if (!handed)
            co_return handed;
    }
    co_return Outcome{};
}

void ImportRun::note_submitted(std::size_t index)
{
    auto& seen = tracked_[index];
    if (seen.standing == Standing::absent) // it may have come further meanwhile
        seen.standing = Standing::pending;
    seen.handed_out = true;
}

asio::awaitable<Outcome> ImportRun::hand_out_alone(std::size_t index)
{
    const auto answer = co_await post(context_, "/api/tasks/submit", submission(index));
    auto& seen = tracked_[index];
    if (answer) {
        note_submitted(index);
        co_return Outcome{};
    }
    const auto& failure = answer.error();
    if (failure.transient)
        co_return tl::unexpected(failure);
    if (failure.code == "TASK_CONFLICT") { // somebody else has handed it out since we looked
        seen.was_there = true;
        const auto looked = co_await look_at(index);
        co_return looked;
    }
    seen.given_up = true;
    summary_.refused.emplace_back(task(index).id, failure.message);
    progress_->notice(
        fmt::format("{} was not taken: {}", printable(task(index).id), printable(failure.message)));
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
               (request_.no_wait && seen.standing != Standing::absent);
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
    std::set<std::string> wanted;
    for (const auto& planned : plan_) {
        const bool free = std::ranges::all_of(planned.waits_for, [&](std::size_t dependency) {
            const auto standing = tracked_[dependency].standing;
            return standing == Standing::completed || standing == Standing::absent;
        });
        if (!moving && free && tracked_[planned.index].standing == Standing::pending)
            wanted.insert(capabilities_asked(planned.index));
    }
    std::string missing;
    for (const auto& capabilities : wanted)
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
        summary_.failed += seen.standing == Standing::failed && !seen.ended_before && !seen.given_up ? 1 : 0;
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
