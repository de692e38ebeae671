#include "cli/ctl/life_commands.hpp"

#include <utility>

#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/table.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// A task's `what`, from the daemon, as JSON or as `show` puts it.
template <class Show>
asio::awaitable<Outcome> look_into(ContextPtr context, std::string id, std::string what, Show show)
{
    const auto text = co_await get_text(context, target_of("/api/tasks", id) + what);
    co_return show_answer(*context, text, [&](const json::object& answer) { show(*context, answer); });
}

void show_reasons(Context& context, const json::object& answer)
{
    context.out.line(fmt::format("{} is {}", printable(string_or(answer, "taskId", "-")),
                                 printable(string_or(answer, "status", "-"))));
    const auto* reasons = find_array(answer, "reasons");
    for (const auto& entry : reasons ? *reasons : json::array{})
        if (const auto* reason = entry.if_object())
            context.out.line("  " + printable(string_or(*reason, "text", "-")));
}

void show_events(Context& context, const json::object& answer)
{
    Table table({{"REVISION", Align::right},
                 {"AGO", Align::right},
                 {"EVENT"},
                 {"ATTEMPT", Align::right},
                 {"WORKER"},
                 {"REASON"}});
    const auto* events = find_array(answer, "events");
    for (const auto& entry : events ? *events : json::array{}) {
        const auto* event = entry.if_object();
        if (!event)
            continue;
        const auto* reason = find_value(*event, "reason");
        table.add(
            {std::to_string(integer_or(*event, "revision", 0)),
             age_text(integer_or(*event, "timestamp", 0), now_ms()),
             printable(string_or(*event, "event", "-")), std::to_string(integer_or(*event, "attempt", 0)),
             printable(string_or(*event, "workerId", "-")), reason ? printable(compact_json(*reason)) : ""});
    }
    context.out.write(table.render(context.out.style(), context.out.columns()));
}

} // namespace

asio::awaitable<Outcome> life_call(ContextPtr context, LifeCall call)
{
    const auto id = string_or(call.body, "taskId", string_or(call.body, "workerId", ""));
    const auto text = co_await post_text(context, std::move(call.target), std::move(call.body));
    co_return show_answer(*context, text, [&](const json::object& answer) {
        const auto* duplicate = find_value(answer, "duplicate");
        const bool again = duplicate && duplicate->is_bool() && duplicate->get_bool();
        context->out.line(fmt::format(fmt::runtime(call.done), printable(id)) +
                          (again ? " (it already was)" : ""));
    });
}

asio::awaitable<Outcome> bulk_call(ContextPtr context, BulkCall call)
{
    json::array all;
    for (;;) {
        auto body = call.body;
        const auto text = co_await post_text(context, std::string(call.target), std::move(body));
        if (!text)
            co_return tl::unexpected(text.error());
        const auto answer = read_answer(*context, *text);
        if (!answer)
            co_return tl::unexpected(answer.error());
        const auto* tasks = find_array(*answer, "tasks");
        for (const auto& task : tasks ? *tasks : json::array{})
            all.push_back(task);
        const auto next = integer_or(*answer, "nextCursor", 0);
        if (next == 0)
            break;
        call.body["cursor"] = next;
    }
    if (context->settings.json) {
        context->out.json(compact_json(json::value(json::object{{"count", all.size()}, {"tasks", all}})));
        co_return Outcome{};
    }
    for (const auto& id : all)
        if (id.is_string())
            context->out.line(printable(id.get_string()));
    context->out.line(fmt::format(fmt::runtime(call.done), all.size()));
    co_return Outcome{};
}

asio::awaitable<Outcome> task_explain(ContextPtr context, std::string id)
{
    const auto outcome = co_await look_into(std::move(context), std::move(id), "/explain", show_reasons);
    co_return outcome;
}

asio::awaitable<Outcome> task_events(ContextPtr context, std::string id)
{
    const auto outcome = co_await look_into(std::move(context), std::move(id), "/events", show_events);
    co_return outcome;
}

} // namespace coordination::ctl
