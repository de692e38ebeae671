#include "cli/ctl/cortex/export_queue.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cli/ctl/cortex/import_plan.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/task_details.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

/// What the owner wrote, without what the daemon knows and the importer added.
json::object payload_of(const json::object& task)
{
    json::object payload{{"id", string_or(task, "id", "")}};
    for (const auto& member : task) {
        const std::string_view name(member.key().data(), member.key().size());
        const auto* type = name == "capabilities" ? task.if_contains("type") : nullptr;
        const bool added = type && member.value() == json::value(json::array{*type});
        if (!owned_by_daemon(name) && !added)
            payload[member.key()] = member.value();
    }
    return payload;
}

/// Replaces a field in its place; a new one comes behind `neighbour`, or last where there is none.
void put(json::object& fields, std::string_view name, const json::value& value,
         std::string_view neighbour = {})
{
    if (auto* there = fields.if_contains(name)) {
        *there = value;
        return;
    }
    if (!fields.contains(neighbour)) {
        fields.emplace(name, value);
        return;
    }
    json::object rebuilt;
    for (const auto& member : fields) {
        rebuilt.emplace(member.key(), member.value());
        if (member.key() == neighbour)
            rebuilt.emplace(name, value);
    }
    fields = std::move(rebuilt);
}

void put_time(json::object& fields, std::string_view name, const json::object& task, std::string_view source)
{
    if (const auto time = find_integer(task, source))
        put(fields, name, json::value(cortex_time(*time / 1000)));
}

void put_holder(json::object& fields, const json::object& task)
{
    const auto* holder = find_value(task, "assignedTo");
    if (holder) {
        put(fields, "assigned_to", *holder);
        put_time(fields, "assigned_at", task, "assignedAt");
        return;
    }
    for (const auto* name : {"assigned_to", "assigned_at"}) // whom the file names has it no more
        if (const auto found = fields.find(name); found != fields.end())
            fields.stable_erase(found);
}

void put_outcome(json::object& fields, const json::object& task)
{
    const auto status = string_or(task, "status", "");
    if (status == "completed") {
        put_time(fields, "completed_at", task, "completedAt");
        if (const auto* holder = find_value(task, "assignedTo"))
            put(fields, "completed_by", *holder);
    }
    if (status == "failed")
        put_time(fields, "failed_at", task, "failedAt");
    for (const auto* name : {"result", "error"})
        if (const auto* value = find_value(task, name))
            put(fields, name, *value);
}

void count_into(json::object& stats, const json::array& tasks, bool all)
{
    std::map<std::string, std::int64_t> counts{{"completed", 0},   {"pending", 0}, {"assigned", 0},
                                               {"in_progress", 0}, {"failed", 0},  {"cancelled", 0}};
    for (const auto& task : tasks) {
        const auto found = counts.find(string_or(task.get_object(), "status", ""));
        if (found != counts.end())
            ++found->second;
    }
    put(stats, "total_tasks", json::value(tasks.size()));
    put(stats, "completed_tasks", json::value(counts["completed"]));
    for (const auto& [status, count] : counts) {
        const auto name = status + "_tasks";
        if (all || count > 0 || stats.contains(name))
            put(stats, name, json::value(count));
    }
}

std::vector<const json::object*> oldest_first(const json::array& tasks)
{
    std::vector<const json::object*> sorted;
    for (const auto& entry : tasks)
        if (const auto* task = entry.if_object())
            sorted.push_back(task);
    std::ranges::sort(sorted, [](const json::object* a,
                                 const json::object* b) { // of the same age: as they were told
        return std::pair(integer_or(*a, "createdAt", 0), a) < std::pair(integer_or(*b, "createdAt", 0), b);
    });
    return sorted;
}

} // namespace

std::string cortex_time(std::time_t time)
{
    std::tm parts{};
    ::localtime_r(&time, &parts);
    std::array<char, 40> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S%z", &parts);
    return std::string(text.data(), length);
}

json::object exported_task(const json::object* original, const json::object& task)
{
    auto fields = original ? *original : payload_of(task);
    put(fields, "status", json::value(string_or(task, "status", "")), "priority");
    if (string_or(task, "assignedTo", "")
            .starts_with(importer_prefix)) { // it ended before the daemon knew it
        for (const auto* name : {"result", "error"})
            if (const auto* value = find_value(task, name); value && !fields.contains(name))
                put(fields, name, *value);
        return fields;
    }
    if (!fields.contains("created_at"))
        put_time(fields, "created_at", task, "createdAt");
    put_holder(fields, task);
    put_outcome(fields, task);
    return fields;
}

json::object exported_queue(std::optional<CortexQueue> before, const json::array& tasks, std::time_t now)
{
    const bool fresh = !before;
    auto document = fresh ? json::object{{"tasks", json::array{}}, {"stats", json::object{}}}
                          : std::move(before->document);
    const auto known = oldest_first(tasks);
    std::unordered_map<std::string, const json::object*> by_id;
    for (const auto* task : known)
        by_id.emplace(string_or(*task, "id", ""), task);

    json::array written;
    if (before) {
        for (const auto& task : before->tasks) {
            const auto found = by_id.find(task.id);
            if (found == by_id.end()) {
                written.push_back(task.fields);
                continue;
            }
            written.push_back(exported_task(&task.fields, *found->second));
            by_id.erase(found);
        }
    }
    for (const auto* task : known)
        if (by_id.contains(string_or(*task, "id", "")))
            written.push_back(exported_task(nullptr, *task));

    auto stats = find_object(document, "stats") ? document["stats"].get_object() : json::object{};
    count_into(stats, written, fresh);
    put(document, "tasks", std::move(written));
    put(document, "stats", std::move(stats));
    put(document, "updated_at", json::value(cortex_time(now)));
    return document;
}

} // namespace coordination::ctl
