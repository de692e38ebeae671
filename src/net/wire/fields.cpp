#include "net/wire/fields.hpp"

#include "core/json/policy.hpp"
#include "core/json/slice.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace coordination::wire {
namespace {

struct Known {
    std::string_view name;
    std::string_view Fields::* field;
    bool null_counts = false;
};

constexpr std::array<Known, 17> known_fields{{
    {"type", &Fields::type},
    {"requestId", &Fields::request_id},
    {"taskId", &Fields::task_id},
    {"workerId", &Fields::worker_id},
    {"capabilities", &Fields::capabilities},
    {"metadata", &Fields::metadata},
    {"topics", &Fields::topics},
    {"since", &Fields::since},
    {"values", &Fields::values},
    {"status", &Fields::status},
    {"progress", &Fields::progress},
    {"result", &Fields::result, true},
    {"error", &Fields::error, true},
    {"attempt", &Fields::attempt},
    {"fence", &Fields::fence},
    {"taskData", &Fields::task_data},
    {"priority", &Fields::priority},
}};

} // namespace

Read<Fields> fields_of(std::string_view message, std::size_t json_depth_max)
{
    const auto valid = json::validate(message, json_depth_max);
    if (!valid)
        return tl::unexpected(
            Error{valid.error().too_deep ? ErrorCode::json_too_deep : ErrorCode::invalid_json,
                  "not JSON: " + valid.error().what + " at byte " + std::to_string(valid.error().offset)});
    const auto object = json::trimmed(message);
    if (json::kind_of(object) != json::Kind::object)
        return tl::unexpected(Error{ErrorCode::invalid_json, "a JSON object is expected"});

    return fields_in(object);
}

Fields fields_in(std::string_view object)
{
    Fields fields;
    fields.message = object;
    json::Members members(object);
    while (const auto member = members.next()) {
        const auto known =
            std::ranges::find_if(known_fields, [&](const Known& k) { return member->named(k.name); });
        const bool is_null = json::kind_of(member->value) == json::Kind::null;
        if (known == known_fields.end()) {
            if (!is_null && json::steers(member->key))
                fields.steering.push_back(member->whole);
            continue;
        }
        const bool absent = !known->null_counts && is_null;
        fields.*(known->field) = absent ? std::string_view{} : member->value;
    }
    return fields;
}

std::string_view field_in(const Fields& fields, std::string_view name)
{
    std::string_view value;
    json::Members members(fields.message);
    while (const auto member = members.next())
        if (member->named(name))
            value = json::kind_of(member->value) == json::Kind::null ? std::string_view{} : member->value;
    return value;
}

Read<std::string> string_in(std::string_view value, std::string_view name)
{
    if (json::kind_of(value) != json::Kind::string)
        return tl::unexpected(invalid_field(name, "a string"));
    return json::unquoted(value);
}

Read<std::uint64_t> natural_in(std::string_view value, std::string_view name, std::uint64_t least)
{
    const auto number =
        json::kind_of(value) == json::Kind::number ? json::integer_in(value) : std::optional<std::int64_t>{};
    if (!number || *number < 0 || static_cast<std::uint64_t>(*number) < least)
        return tl::unexpected(invalid_field(name, "an integer of at least " + std::to_string(least)));
    return static_cast<std::uint64_t>(*number);
}

Read<bool> boolean_in(std::string_view value, std::string_view name)
{
    if (json::kind_of(value) != json::Kind::boolean)
        return tl::unexpected(invalid_field(name, "true or false"));
    return value.front() == 't';
}

Read<std::vector<std::string>> strings_in(std::string_view value, std::string_view name)
{
    const auto wrong = [&] { return tl::unexpected(invalid_field(name, "an array of non-empty strings")); };
    if (json::kind_of(value) != json::Kind::array)
        return wrong();
    std::vector<std::string> strings;
    json::Elements elements(value);
    while (const auto element = elements.next()) {
        if (json::kind_of(*element) != json::Kind::string || element->size() == 2)
            return wrong();
        strings.push_back(json::unquoted(*element));
    }
    return strings;
}

Read<void> check_object(std::string_view value, std::string_view name)
{
    if (json::kind_of(value) != json::Kind::object)
        return tl::unexpected(invalid_field(name, "an object"));
    return {};
}

Read<void> check_progress(std::string_view value, std::string_view name)
{
    const auto number =
        json::kind_of(value) == json::Kind::number ? json::double_in(value) : std::optional<double>{};
    constexpr std::size_t digits_max = 32; // it is kept as it was written
    if (!number || *number < 0 || *number > 100 || value.size() > digits_max)
        return tl::unexpected(invalid_field(name, "a number from 0 to 100"));
    return {};
}

Read<std::string> id_in(std::string_view value, std::string_view name, const Bounds& bounds)
{
    if (value.empty())
        return tl::unexpected(missing_field(name));
    auto id = string_in(value, name);
    if (id && id->empty())
        return tl::unexpected(missing_field(name));
    if (id && id->size() > bounds.id_bytes_max)
        return tl::unexpected(too_long(name, bounds.id_bytes_max));
    return id;
}

std::string on_one_line(std::string json)
{
    std::ranges::replace_if(json, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return json;
}

Text text_on_one_line(std::string_view json)
{
    if (json.find_first_of("\n\r") == std::string_view::npos)
        return Text(json);
    return Text(on_one_line(std::string(json)));
}

} // namespace coordination::wire
