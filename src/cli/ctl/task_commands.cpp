#include "cli/ctl/task_commands.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
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

asio::awaitable<Outcome> end_task(ContextPtr context, std::string target, json::object body,
                                  std::string ended)
{
    const auto id = string_or(body, "taskId", "");
    const auto text = co_await post_text(context, std::move(target), std::move(body));
    if (!text)
        co_return tl::unexpected(text.error());
    if (context->settings.json) {
        context->out.json(*text);
        co_return Outcome{};
    }
    const auto answer = read_answer(*context, *text);
    if (!answer)
        co_return tl::unexpected(answer.error());
    const auto* duplicate = find_value(*answer, "duplicate");
    const bool again = duplicate && duplicate->is_bool() && duplicate->get_bool();
    context->out.line(fmt::format("task {} {}{}", printable(id), ended, again ? " (it already was)" : ""));
    co_return Outcome{};
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
    auto data = std::move(request.data);
    if (!request.capabilities.empty()) {
        json::array capabilities;
        for (const auto& capability : request.capabilities)
            capabilities.emplace_back(capability);
        data["capabilities"] = std::move(capabilities);
    }
    json::object body{{"taskId", request.id}};
    if (!request.worker.empty())
        body["workerId"] = request.worker;
    if (!request.priority.empty())
        body["priority"] = request.priority;
    body["taskData"] = std::move(data);
    const auto text = co_await post_text(context, "/api/tasks/assign", std::move(body));
    if (!text)
        co_return tl::unexpected(text.error());
    if (context->settings.json) {
        context->out.json(*text);
        co_return Outcome{};
    }
    const auto answer = read_answer(*context, *text);
    if (!answer)
        co_return tl::unexpected(answer.error());
    context->out.line(fmt::format("task {} assigned to {}", printable(request.id),
                                  printable(string_or(*answer, "workerId", "-"))));
    co_return Outcome{};
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
    if (!text)
        co_return tl::unexpected(text.error());
    if (context->settings.json) {
        context->out.json(*text);
        co_return Outcome{};
    }
    const auto task = read_answer(*context, *text);
    if (!task)
        co_return tl::unexpected(task.error());
    context->out.write(task_details(*task, now_ms()).render(context->out.style()));
    co_return Outcome{};
}

asio::awaitable<Outcome> task_complete(ContextPtr context, TaskEnd end)
{
    const auto outcome =
        co_await end_task(std::move(context), "/api/tasks/complete", end_request(end, "result"), "completed");
    co_return outcome;
}

asio::awaitable<Outcome> task_fail(ContextPtr context, TaskEnd end)
{
    const auto outcome =
        co_await end_task(std::move(context), "/api/tasks/fail", end_request(end, "error"), "failed");
    co_return outcome;
}

} // namespace coordination::ctl
