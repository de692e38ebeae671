#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "cli/ctl/fields.hpp"
#include "cli/ctl/task_commands.hpp"
#include "cli/ctl/text.hpp"
#include "cli/ctl/top.hpp"
#include "cli/ctl/worker_commands.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

constexpr std::size_t heading_lines = 4;

std::string milliseconds(const json::object& latency, std::string_view name)
{
    return fmt::format("{} {:.2f} ms", name, find_number(latency, name).value_or(0));
}

std::string heading(const TopView& view, const Style& style)
{
    const json::object nothing;
    const auto section = [&](const json::object& parent, std::string_view name) -> const json::object& {
        const auto* found = find_object(parent, name);
        return found ? *found : nothing;
    };
    const auto& daemon = section(view.metrics, "daemon");
    const auto& latency = section(daemon, "latency");
    const auto& bus = section(view.metrics, "messageBus");
    const auto status = printable(string_or(view.health, "status", "unknown"));
    const auto reason = find_string(view.health, "reason");
    const auto count = [&](std::string_view name) { return grouped(integer_or(daemon, name, 0)); };

    std::string text = fmt::format("{}  {}{}  up {}\n", style.paint(Colour::bold, view.address),
                                   style.paint(colour_of_status(status), status),
                                   reason ? " (" + printable(*reason) + ")" : "",
                                   duration_text(std::chrono::milliseconds{integer_or(daemon, "uptime", 0)}));
    text += fmt::format("tasks    {} held, {} waiting, {} done, {} failed\n", count("activeTasks"),
                        count("pendingTasks"), count("totalTasksProcessed"), count("totalTasksFailed"));
    text += fmt::format("load     {:.1f} operations/s, latency {}, {}, {}\n",
                        find_number(daemon, "operationsPerSecond").value_or(0), milliseconds(latency, "p50"),
                        milliseconds(latency, "p95"), milliseconds(latency, "p99"));
    text += fmt::format("workers  {} active of {}, queue depth {}\n", count("activeWorkers"),
                        grouped(static_cast<std::int64_t>(view.workers.size())),
                        grouped(integer_or(bus, "queueDepth", 0)));
    return text;
}

/// Busiest first, so that what matters is above the cut.
json::array by_load(const json::array& workers)
{
    std::vector<std::pair<std::int64_t, std::size_t>> order; // minus the load, position
    for (std::size_t i = 0; i < workers.size(); ++i) {
        const auto* worker = workers[i].if_object();
        order.emplace_back(worker ? -integer_or(*worker, "activeTasks", 0) : 0, i);
    }
    std::ranges::sort(order);
    json::array sorted;
    for (const auto& [load, position] : order)
        sorted.push_back(workers[position]);
    return sorted;
}

/// `text` cut to `lines` lines, the last of them saying how many were left out.
std::string first_lines(const std::string& text, std::size_t lines)
{
    const auto total = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    if (total <= lines)
        return text;
    if (lines == 0)
        return {};
    std::size_t end = 0;
    for (std::size_t i = 0; i + 1 < lines; ++i)
        end = text.find('\n', end) + 1;
    return text.substr(0, end) + fmt::format("… {} more\n", total - lines + 1);
}

} // namespace

std::string top_frame(const TopView& view, std::int64_t now, const Style& style, std::size_t columns,
                      std::size_t rows)
{
    auto frame = heading(view, style);
    const auto workers = worker_table(by_load(view.workers), now).render(style, columns);
    const auto tasks = view.tasks.empty() ? std::string("no task is held\n")
                                          : task_table(view.tasks, now).render(style, columns);
    if (rows == 0)
        return frame + "\n" + workers + "\n" + tasks;
    const auto room = rows > heading_lines + 3 ? rows - heading_lines - 3 : 0; // two empty lines and the last
    const auto task_lines = static_cast<std::size_t>(std::ranges::count(tasks, '\n'));
    const auto for_tasks = std::min(task_lines, room / 2);
    return frame + "\n" + first_lines(workers, room - for_tasks) + "\n" + first_lines(tasks, for_tasks);
}

} // namespace coordination::ctl
