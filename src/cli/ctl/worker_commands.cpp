#include "cli/ctl/worker_commands.hpp"

#include <fmt/format.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

Cell status_cell(const json::object& object)
{
    const auto status = printable(string_or(object, "status", "-"));
    return {status, colour_of_status(status)};
}

Details worker_details(const json::object& worker, std::int64_t now)
{
    Details details;
    details.add("id", printable(string_or(worker, "id", "-")));
    details.add("status", status_cell(worker));
    details.add("capabilities", joined(find_array(worker, "capabilities")));
    details.add("running", grouped(integer_or(worker, "activeTasks", 0)));
    details.add("completed", grouped(integer_or(worker, "completedTasks", 0)));
    details.add("failed", grouped(integer_or(worker, "failedTasks", 0)));
    details.add("registered", age_text(integer_or(worker, "registeredAt", 0), now));
    details.add("last heartbeat", age_text(integer_or(worker, "lastHeartbeat", 0), now));
    details.add("last seen", age_text(integer_or(worker, "lastSeen", 0), now));
    details.add("subscriptions", joined(find_array(worker, "subscriptions")));
    if (const auto* metadata = find_object(worker, "metadata"); metadata && !metadata->empty())
        details.add("metadata", printable(compact_json(*metadata)));
    return details;
}

} // namespace

Table worker_table(const json::array& workers, std::int64_t now)
{
    Table table({{"ID"},
                 {"STATUS"},
                 {"RUNNING", Align::right},
                 {"DONE", Align::right},
                 {"FAILED", Align::right},
                 {"SEEN", Align::right},
                 {"CAPABILITIES"}});
    for (const auto& entry : workers) {
        const auto* worker = entry.if_object();
        if (!worker)
            continue;
        const auto failed = integer_or(*worker, "failedTasks", 0);
        table.add({printable(string_or(*worker, "id", "-")), status_cell(*worker),
                   grouped(integer_or(*worker, "activeTasks", 0)),
                   grouped(integer_or(*worker, "completedTasks", 0)),
                   Cell{grouped(failed), failed > 0 ? Colour::red : Colour::none},
                   age_text(integer_or(*worker, "lastSeen", 0), now),
                   joined(find_array(*worker, "capabilities"))});
    }
    return table;
}

asio::awaitable<Outcome> worker_ls(ContextPtr context)
{
    const auto text = co_await get_text(context, "/api/workers");
    co_return show_answer(*context, text, [&](const json::object& answer) {
        const auto* workers = find_array(answer, "workers");
        if (!workers || workers->empty()) {
            context->out.line("No workers are registered. Start one with: coordctl worker run --capabilities "
                              "NAME -- COMMAND");
            return;
        }
        context->out.write(
            worker_table(*workers, now_ms()).render(context->out.style(), context->out.columns()));
    });
}

asio::awaitable<Outcome> worker_info(ContextPtr context, std::string id)
{
    const auto text = co_await get_text(context, target_of("/api/workers", id));
    co_return show_answer(*context, text, [&](const json::object& worker) {
        context->out.write(worker_details(worker, now_ms()).render(context->out.style()));
    });
}

} // namespace coordination::ctl
