#include "torture/state.hpp"

#include <stdexcept>

namespace coordination::torture {

using testing::field;
using testing::integer;
using testing::text;

State State::from(const Json& state)
{
    State result;
    result.revision = integer(state, "metadata.revision");
    for (const auto& task : field(state, "tasks").as_array())
        result.tasks.emplace(text(task, "id"), task);
    for (const auto& worker : field(state, "workers").as_array())
        result.workers.emplace(text(worker, "id"), worker);
    for (const auto& pair : field(state, "assignments").as_array()) {
        const auto task = std::string(pair.at(0).as_string());
        const bool first = result.assignments.emplace(task, std::string(pair.at(1).as_string())).second;
        if (!first)
            throw std::logic_error(task + " is held twice");
    }
    return result;
}

void State::apply(const Json& change)
{
    const auto collection = text(change, "collection");
    const auto key = text(change, "key");
    const bool gone = text(change, "operation") == "delete";
    if (collection == "assignments") {
        if (gone)
            assignments.erase(key);
        else
            assignments.insert_or_assign(key, text(change, "value.workerId"));
    } else {
        auto& rows = collection == "tasks" ? tasks : workers;
        if (gone)
            rows.erase(key);
        else
            rows.insert_or_assign(key, field(change, "value"));
    }
    revision = integer(change, "revision");
}

bool is_terminal(std::string_view status)
{
    return status == "completed" || status == "failed" || status == "cancelled";
}

bool is_held(std::string_view status)
{
    return status == "assigned" || status == "in_progress";
}

std::string text_or_none(const Json& object, std::string_view name)
{
    const auto* value = object.as_object().if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string{};
}

std::int64_t number_or_zero(const Json& object, std::string_view name)
{
    return object.as_object().contains(name) ? integer(object, name) : 0;
}

std::string ending_token(const Json& task)
{
    for (const auto* name : {"result", "error"}) {
        const auto* outcome = task.as_object().if_contains(name);
        if (outcome && outcome->is_object())
            return text_or_none(*outcome, "token");
    }
    return {};
}

Json lasting_part(const Json& worker)
{
    auto part = worker.as_object();
    for (const auto* name : {"status", "lastHeartbeat", "lastSeen"})
        part.erase(name);
    return part;
}

} // namespace coordination::torture
