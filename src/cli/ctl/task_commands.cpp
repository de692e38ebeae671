#include "cli/ctl/task_commands.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/life_commands.hpp"
#include "cli/ctl/task_details.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::uint64_t page_tasks =
    500; // a list of a million comes in pages, so that the first rows show at once

Cell status_cell(const json::object& task)
{
    const auto status = printable(string_or(task, "status", "-"));
    return {status, colour_of_status(status)};
}

std::string progress_text(const json::object& task)
{
    const auto progress = find_number(task, "progress");
    return progress ? fmt::format("{:.0f}%", *progress) : "-";
}

json::object end_request(const TaskEnd& end, std::string_view outcome_name)
{
    json::object body{{"taskId", end.id}};
    if (!end.worker.empty())
        body["workerId"] = end.worker;
    if (end.attempt)
        body["attempt"] = *end.attempt;
    if (!end.outcome.is_null())
        body[outcome_name] = end.outcome;
    return body;
}

asio::awaitable<Outcome> print_tasks_as_json(ContextPtr context, TaskList request)
{
    const auto text = co_await get_text(
        context, target_of("/api/tasks", Query{{"status", request.status},
                                               {"capability", request.capability},
                                               {"limit", request.limit ? std::to_string(*request.limit) : ""},
                                               {"cursor", request.cursor}}));
    if (!text)
        co_return tl::unexpected(text.error());
    context->out.json(*text);
    co_return Outcome{};
}

} // namespace

Table task_table(const json::array& tasks, std::int64_t now)
{
    Table table({{"ID"},
                 {"STATUS"},
                 {"PROGRESS", Align::right},
                 {"PRIORITY"},
                 {"WORKER"},
                 {"CHANGED", Align::right},
                 {"TITLE"}});
    for (const auto& entry : tasks) {
        const auto* task = entry.if_object();
        if (!task)
            continue;
        table.add({printable(string_or(*task, "id", "-")), status_cell(*task), progress_text(*task),
                   printable(string_or(*task, "priority", "-")),
                   printable(string_or(*task, "assignedTo", "-")),
                   age_text(integer_or(*task, "lastUpdate", integer_or(*task, "createdAt", 0)), now),
                   printable(string_or(*task, "title", ""))});
    }
    return table;
}

asio::awaitable<Outcome> task_assign(ContextPtr context, TaskAssign request)
{
    json::object body{{"taskId", request.id}};
    if (!request.worker.empty())
        body["workerId"] = request.worker;
    if (!request.priority.empty())
        body["priority"] = request.priority;
    if (!request.capabilities.empty())
        body["capabilities"] = json::array(request.capabilities.begin(), request.capabilities.end());
    if (!request.data.empty()) // a task that is known keeps what is not told anew
        body["taskData"] = std::move(request.data);
    const auto text = co_await post_text(context, "/api/tasks/assign", std::move(body));
    co_return show_answer(*context, text, [&](const json::object& answer) {
        context->out.line(fmt::format("task {} assigned to {}", printable(request.id),
                                      printable(string_or(answer, "workerId", "-"))));
    });
}

asio::awaitable<Outcome> task_ls(ContextPtr context, TaskList request)
{
    if (context->settings.json) {
        const auto outcome = co_await print_tasks_as_json(context, std::move(request));
        co_return outcome;
    }
    auto left = request.limit;
    bool first = true;
    for (;;) {
        const auto page = std::min(left.value_or(page_tasks), page_tasks);
        const auto answer =
            co_await get(context, target_of("/api/tasks", Query{{"status", request.status},
                                                                {"capability", request.capability},
                                                                {"limit", std::to_string(page)},
                                                                {"cursor", request.cursor}}));
        if (!answer)
            co_return tl::unexpected(answer.error());
        const auto* tasks = find_array(*answer, "tasks");
        const std::uint64_t count = tasks ? tasks->size() : 0;
        if (count == 0 && first)
            context->out.line("No tasks.");
        else if (count > 0)
            context->out.write(
                task_table(*tasks, now_ms()).render(context->out.style(), context->out.columns()));
        first = false;
        request.cursor = string_or(*answer, "nextCursor", "");
        if (left)
            *left -= std::min(*left, count);
        if (request.cursor.empty() || count == 0)
            break;
        if (left == 0) {
            context->out.line("More follow: --cursor " + printable(request.cursor));
            break;
        }
    }
    co_return Outcome{};
}

asio::awaitable<Outcome> task_info(ContextPtr context, std::string id)
{
    const auto text = co_await get_text(context, target_of("/api/tasks", id));
    co_return show_answer(*context, text, [&](const json::object& task) {
        context->out.write(task_details(task, now_ms()).render(context->out.style()));
    });
}

asio::awaitable<Outcome> task_complete(ContextPtr context, const TaskEnd& end)
{
    return life_call(std::move(context),
                     {"/api/tasks/complete", end_request(end, "result"), "task {} completed"});
}

asio::awaitable<Outcome> task_fail(ContextPtr context, const TaskEnd& end)
{
    return life_call(std::move(context), {"/api/tasks/fail", end_request(end, "error"), "task {} failed"});
}

} // namespace coordination::ctl
