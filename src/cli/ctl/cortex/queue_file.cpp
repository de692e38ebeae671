#include "cli/ctl/cortex/queue_file.hpp"

#include <unordered_set>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/ctl/arguments.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

std::vector<std::string> dependencies_of(const json::object& fields)
{
    std::vector<std::string> ids;
    const auto* context = find_object(fields, "context");
    const auto* list = context ? find_array(*context, "dependencies") : nullptr;
    if (!list)
        return ids;
    for (const auto& entry : *list)
        if (const auto* id = entry.if_string())
            ids.emplace_back(id->data(), id->size());
    return ids;
}

tl::expected<CortexTask, std::string> read_task(json::value& entry)
{
    auto* fields = entry.if_object();
    if (!fields)
        return tl::unexpected<std::string>("is no object");
    CortexTask task;
    task.id = string_or(*fields, "id", "");
    if (task.id.empty())
        return tl::unexpected<std::string>("has no \"id\"");
    task.status = string_or(*fields, "status", "");
    if (task.status.empty())
        return tl::unexpected(fmt::format("({}) has no \"status\"", printable(task.id)));
    task.type = string_or(*fields, "type", "");
    task.priority = string_or(*fields, "priority", "");
    task.dependencies = dependencies_of(*fields);
    task.fields = std::move(*fields);
    return task;
}

} // namespace

tl::expected<CortexQueue, std::string> parse_cortex_queue(std::string_view text)
{
    auto value = parse_json(text);
    if (!value)
        return tl::unexpected(value.error());
    auto* document = value->if_object();
    auto* tasks = document ? document->if_contains("tasks") : nullptr;
    if (!tasks || !tasks->is_array())
        return tl::unexpected<std::string>(
            "it is no task queue: an object with a list \"tasks\" is expected");
    CortexQueue queue;
    std::unordered_set<std::string> ids;
    for (std::size_t i = 0; i < tasks->get_array().size(); ++i) {
        auto task = read_task(tasks->get_array()[i]);
        if (!task)
            return tl::unexpected(fmt::format("tasks[{}] {}", i, task.error()));
        if (!ids.insert(task->id).second)
            return tl::unexpected(
                fmt::format("tasks[{}] has the id {} of another task", i, printable(task->id)));
        queue.tasks.push_back(std::move(*task));
    }
    *tasks = json::array{};
    queue.document = std::move(*document);
    return queue;
}

} // namespace coordination::ctl
