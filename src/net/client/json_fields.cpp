#include "net/client/json_fields.hpp"

namespace coordination::net_client {

namespace json = boost::json;

const json::value* find_value(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value && !value->is_null() ? value : nullptr;
}

std::optional<std::string_view> find_string(const json::object& object, std::string_view name)
{
    const auto* value = find_value(object, name);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::optional<std::string_view>(std::string_view(text->data(), text->size()))
                : std::nullopt;
}

std::optional<std::int64_t> find_integer(const json::object& object, std::string_view name)
{
    const auto* value = find_value(object, name);
    if (!value)
        return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    return error ? std::nullopt : std::optional(number);
}

std::optional<double> find_number(const json::object& object, std::string_view name)
{
    const auto* value = find_value(object, name);
    if (!value)
        return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<double>(error);
    return error ? std::nullopt : std::optional(number);
}

const json::object* find_object(const json::object& object, std::string_view name)
{
    const auto* value = find_value(object, name);
    return value ? value->if_object() : nullptr;
}

const json::array* find_array(const json::object& object, std::string_view name)
{
    const auto* value = find_value(object, name);
    return value ? value->if_array() : nullptr;
}

std::string string_or(const json::object& object, std::string_view name, std::string_view otherwise)
{
    return std::string(find_string(object, name).value_or(otherwise));
}

std::int64_t integer_or(const json::object& object, std::string_view name, std::int64_t otherwise)
{
    return find_integer(object, name).value_or(otherwise);
}

} // namespace coordination::net_client
