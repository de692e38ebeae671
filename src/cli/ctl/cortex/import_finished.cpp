#include <chrono>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/cortex/import_run.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

/// No call makes a task that has ended. So a worker of our own takes each one and ends it at once; its name
/// tells a later import that what it still holds was left by one that was cut off.
asio::awaitable<Outcome> ImportRun::import_finished()
{
    bool any = false;
    for (const auto& planned : plan_) {
        const auto standing = tracked_[planned.index].standing;
        any = any || (planned.handling == Handling::finish && standing != Standing::completed &&
                      standing != Standing::failed);
    }
    if (!any)
        co_return Outcome{};
    const auto importer = fmt::format("{}{}", importer_prefix, ::getpid());
    const json::object registration{{"workerId", importer}, {"capabilities", capabilities_of_finished()}};
    const auto registered = co_await post(context_, "/api/workers/register", registration);
    if (!registered)
        co_return tl::unexpected(registered.error());
    auto outcome = co_await finish_all(importer);
    const auto left =
        co_await post(context_, "/api/workers/unregister", json::object{{"workerId", importer}});
    if (outcome && !left)
        outcome = tl::unexpected(left.error());
    co_return outcome;
}

/// Only what finished tasks ask for themselves: a worker that can do more would be given the work of others.
json::array ImportRun::capabilities_of_finished() const
{
    std::set<std::string> names;
    for (const auto& planned : plan_) {
        const auto* asked = find_array(task(planned.index).fields, "capabilities");
        if (planned.handling != Handling::finish || !asked)
            continue;
        for (const auto& name : *asked)
            if (const auto* text = name.if_string())
                names.emplace(text->data(), text->size());
    }
    json::array capabilities;
    for (const auto& name : names)
        capabilities.emplace_back(name);
    return capabilities;
}

asio::awaitable<Outcome> ImportRun::finish_all(std::string importer)
{
    auto heard = std::chrono::steady_clock::now();
    for (const auto& planned : plan_) {
        if (planned.handling != Handling::finish || interrupted_)
            continue;
        if (std::chrono::steady_clock::now() - heard > 1s) {
            const auto beat =
                co_await post(context_, "/api/workers/heartbeat", json::object{{"workerId", importer}});
            if (!beat)
                co_return tl::unexpected(beat.error());
            heard = std::chrono::steady_clock::now();
        }
        const auto finished = co_await finish(planned.index, importer);
        if (!finished && finished.error().transient)
            co_return finished;
        if (!finished) {
            tracked_[planned.index].given_up = true;
            summary_.refused.emplace_back(task(planned.index).id, finished.error().message);
        }
    }
    co_return Outcome{};
}

asio::awaitable<Outcome> ImportRun::finish(std::size_t index, std::string importer)
{
    const auto standing = tracked_[index].standing;
    auto holder = importer;
    if (standing == Standing::completed || standing == Standing::failed)
        co_return Outcome{};
    if (standing == Standing::held) {
        holder = tracked_[index].holder;
        if (!holder.starts_with(importer_prefix))
            co_return Outcome{}; // at work on it: that counts more than the file
        tracked_[index].was_there = false;
    } else {
        const auto assigned =
            co_await post(context_, "/api/tasks/assign", assign_request(task(index), importer));
        if (!assigned)
            co_return tl::unexpected(assigned.error());
    }
    auto end = end_request(task(index), holder);
    const auto ended = co_await post(context_, std::move(end.target), std::move(end.body));
    if (!ended)
        co_return tl::unexpected(ended.error());
    tracked_[index].standing = task(index).status == "completed" ? Standing::completed : Standing::failed;
    ++summary_.finished;
    progress_->event(
        fmt::format("{} imported as {}", printable(task(index).id), printable(task(index).status)));
    co_return Outcome{};
}

} // namespace coordination::ctl
