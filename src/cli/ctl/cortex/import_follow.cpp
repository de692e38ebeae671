#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/ctl/cortex/import_run.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"
#include "net/client/backoff.hpp"
#include "net/client/parse_object.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;
using net_client::nothrow;

asio::awaitable<Outcome> ImportRun::subscribe()
{
    const auto connected = co_await ws_.connect();
    if (!connected)
        co_return tl::unexpected(unreachable(connected.error(), context_->settings.ws, "ws"));
    const json::object frame{{"type", "subscribe"},
                             {"topics", json::array{"tasks:*", "workers:*", "assignments:delete"}},
                             {"values", true},
                             {"requestId", "subscribe"}};
    if (const auto sent = ws_.send(compact_json(frame)); !sent)
        co_return tl::unexpected(unreachable(sent.error(), context_->settings.ws, "ws"));
    const auto text = co_await ws_.receive();
    if (!text)
        co_return tl::unexpected(unreachable(text.error(), context_->settings.ws, "ws"));
    const auto response = net_client::parse_object(*text);
    const auto* success = response ? find_value(*response, "success") : nullptr;
    if (!success)
        co_return tl::unexpected(
            Failure{.message = fmt::format("what answers at ws://{} is no coordination daemon; set --ws-url",
                                           context_->settings.ws.authority())});
    if (*success != json::value(true))
        co_return tl::unexpected(refused(*response));
    co_return Outcome{};
}

asio::awaitable<void> ImportRun::follow()
{
    net_client::ReconnectBackoff backoff;
    while (!stopped_) {
        const auto text = co_await ws_.receive();
        if (text) {
            backoff.reset();
            const auto frame = net_client::parse_object(*text);
            const auto* change = frame ? find_object(*frame, "change") : nullptr;
            if (change)
                on_change(*change);
            continue;
        }
        while (!stopped_) {
            retry_.expires_after(backoff.next());
            co_await retry_.async_wait(nothrow);
            if (stopped_)
                co_return;
            const auto again = co_await subscribe();
            if (again)
                break;
        }
        look_again_ = true;
        wake();
    }
}

void ImportRun::on_change(const json::object& change)
{
    const auto collection = string_or(change, "collection", "");
    if (collection != "tasks") {
        // A worker that got busier has no more room than before.
        const auto* value = find_object(change, "value");
        const bool busier = collection == "workers" && string_or(change, "operation", "") == "update" &&
                            value && string_or(*value, "status", "") == "busy";
        if (!busier)
            wake();
        return;
    }
    const auto found = index_of_.find(find_string(change, "key").value_or(""));
    if (found == index_of_.end())
        return;
    const auto* value = find_object(change, "value");
    if (!value)
        look_again_ = true;
    if (!value || take(found->second, *value))
        wake();
}

/// Whether the task stands elsewhere than before.
bool ImportRun::take(std::size_t index, const json::object& seen)
{
    auto& tracked = tracked_[index];
    const auto before = tracked.standing;
    if (before == Standing::completed || before == Standing::failed)
        return false; // for good: what is seen now is older
    const auto status = find_string(seen, "status").value_or("");
    tracked.holder = string_or(seen, "assignedTo", "");
    if (status == "completed")
        tracked.standing = Standing::completed;
    else if (status == "failed" || status == "cancelled")
        tracked.standing = Standing::failed;
    else if (status == "pending")
        tracked.standing = Standing::pending;
    else
        tracked.standing = Standing::held;
    if (before == tracked.standing)
        return false;
    const auto* error = find_object(seen, "error");
    if (status == "cancelled" && error && string_or(*error, "code", "") == "DEPENDENCY_FAILED" &&
        tracked.handling == Handling::hand_out) {
        block(index, string_or(*error, "message", ""));
        return true;
    }
    if (before == Standing::absent || tracked.handling == Handling::finish) // a first look, or our own doing
        return true;
    if (tracked.standing == Standing::held)
        progress_->event(
            fmt::format("{} assigned to {}", printable(task(index).id), printable(tracked.holder)));
    if (tracked.standing == Standing::completed)
        progress_->event(
            fmt::format("{} completed by {}", printable(task(index).id), printable(tracked.holder)));
    if (tracked.standing == Standing::failed)
        progress_->notice(
            fmt::format("{} failed at {}", printable(task(index).id), printable(tracked.holder)));
    return true;
}

/// What it waits for did not complete.
void ImportRun::block(std::size_t index, std::string_view why)
{
    tracked_[index].given_up = true;
    summary_.blocked.push_back(task(index).id);
    progress_->notice(fmt::format("{} is not done: {}", printable(task(index).id), printable(why)));
}

void ImportRun::wake()
{
    changed_ = true;
    change_.cancel();
}

void ImportRun::stop()
{
    stopped_ = true;
    ws_.abort();
    retry_.cancel();
    signals_.cancel();
}

asio::awaitable<void> ImportRun::obey_signals()
{
    const auto [cancelled, number] = co_await signals_.async_wait(nothrow);
    if (cancelled)
        co_return;
    interrupted_ = true;
    change_.cancel();
}

} // namespace coordination::ctl
