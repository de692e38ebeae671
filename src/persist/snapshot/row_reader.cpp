#include "persist/snapshot/row_reader.hpp"

#include "core/json/slice.hpp"

#include <fmt/format.h>

namespace coordination {
namespace {

/// Deeper than anything that the wire lets in.
constexpr std::size_t depth_max = 1024;

tl::unexpected<std::string> wrong(std::string what)
{
    return tl::unexpected(std::move(what));
}

} // namespace

tl::expected<std::string_view, std::string> RowReader::take_apart(std::string_view object, bool with_payload)
{
    fields_.clear();
    hidden_.clear();
    if (const auto valid = json::validate(object, depth_max); !valid)
        return wrong(
            fmt::format("not JSON at byte {} of the row: {}", valid.error().offset, valid.error().what));
    if (json::kind_of(object) != json::Kind::object)
        return wrong("a row is not an object");
    json::Members members(object);
    auto member = members.next();
    if (!member || member->key != "id" || json::kind_of(member->value) != json::Kind::string ||
        member->value == R"("")")
        return wrong("a row does not begin with its id");
    id_ = member->value;

    member = members.next();
    std::string_view payload;
    for (; with_payload && member && member->key != "status"; member = members.next()) {
        const auto* begin = payload.empty() ? member->whole.data() : payload.data();
        payload = {begin, member->whole.data() + member->whole.size()};
    }
    for (; member; member = members.next()) {
        if (member->key == "_")
            read_hidden(member->value);
        else
            fields_.add(member->key, member->value);
    }
    return payload;
}

void RowReader::read_hidden(std::string_view object)
{
    if (json::kind_of(object) != json::Kind::object)
        return; // it then lacks its ordinal
    json::Members members(object);
    while (const auto member = members.next())
        hidden_.add(member->key, member->value);
}

tl::expected<void, std::string> RowReader::check() const
{
    const auto name = fields_.wrong().empty() ? hidden_.wrong() : fields_.wrong();
    if (name.empty())
        return {};
    return wrong(fmt::format("the value of \"{}\" is of the wrong kind", name));
}

tl::expected<Worker, std::string> RowReader::worker(std::string_view object)
{
    const auto taken = take_apart(object, false);
    if (!taken)
        return tl::unexpected(taken.error());
    Worker worker = decoder_.worker(fields_, text_of(id_));
    worker.active_tasks = fields_.number<std::uint32_t>("activeTasks");
    worker.capabilities = decoder_.capabilities(hidden_);
    worker.ordinal = hidden_.number<Revision>("ordinal");
    worker.idle_since = hidden_.number<Revision>("idleSince");
    worker.draining = hidden_.flag("draining");
    worker.wants_values = hidden_.flag("values");
    return check().map([&] { return std::move(worker); });
}

tl::expected<Task, std::string> RowReader::task(std::string_view object)
{
    const auto payload = take_apart(object, true);
    if (!payload)
        return tl::unexpected(payload.error());
    const auto status = task_status_named(fields_.string("status"));
    const auto priority = priority_named(hidden_.string("priority"));
    if (!status || !priority)
        return wrong("the task's status or priority is unknown");
    Task task = decoder_.task(fields_, text_of(id_), *status);
    task.payload = Text(*payload);
    task.priority = *priority;
    task.required = decoder_.capabilities(hidden_);
    task.crash_limit = hidden_.number<std::uint32_t>("crashLimit");
    task.ordinal = hidden_.number<Revision>("ordinal");
    return check().map([&] { return std::move(task); });
}

} // namespace coordination
