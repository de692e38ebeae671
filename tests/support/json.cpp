#include "support/json.hpp"

#include <charconv>
#include <stdexcept>

namespace coordination::testing {

namespace {

const Json* child(const Json& parent, std::string_view name)
{
    if (const auto* object = parent.if_object())
        return object->if_contains(name);
    if (const auto* array = parent.if_array()) {
        std::size_t index = 0;
        const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), index);
        if (ec == std::errc{} && end == name.data() + name.size() && index < array->size())
            return &(*array)[index];
    }
    return nullptr;
}

const Json* find(const Json& document, std::string_view path)
{
    const Json* at = &document;
    while (at && !path.empty()) {
        const auto dot = path.find('.');
        at = child(*at, path.substr(0, dot));
        path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
    }
    return at;
}

std::string shown(const Json& document)
{
    auto whole = boost::json::serialize(document);
    return whole.size() > 2000 ? whole.substr(0, 2000) + "…" : whole;
}

[[noreturn]] void wrong(std::string_view path, std::string_view what, const Json& document)
{
    throw std::runtime_error("'" + std::string(path) + "' " + std::string(what) + " in " + shown(document));
}

} // namespace

Json parse(std::string_view text)
{
    boost::json::error_code ec;
    auto document = boost::json::parse(text, ec);
    if (ec)
        throw std::runtime_error("no JSON (" + ec.message() + "): " + std::string(text.substr(0, 2000)));
    return document;
}

const Json& field(const Json& document, std::string_view path)
{
    const auto* found = find(document, path);
    if (!found)
        wrong(path, "is missing", document);
    return *found;
}

bool has(const Json& document, std::string_view path)
{
    return find(document, path) != nullptr;
}

std::string text(const Json& document, std::string_view path)
{
    const auto* value = field(document, path).if_string();
    if (!value)
        wrong(path, "is no string", document);
    return {value->data(), value->size()};
}

std::int64_t integer(const Json& document, std::string_view path)
{
    const auto& value = field(document, path);
    boost::json::error_code ec;
    const auto result = value.to_number<std::int64_t>(ec);
    if (ec || value.is_double())
        wrong(path, "is no integer", document);
    return result;
}

double number(const Json& document, std::string_view path)
{
    boost::json::error_code ec;
    const auto result = field(document, path).to_number<double>(ec);
    if (ec)
        wrong(path, "is no number", document);
    return result;
}

std::size_t occurrences(std::string_view whole, std::string_view part)
{
    std::size_t count = 0;
    for (auto at = whole.find(part); at != std::string_view::npos; at = whole.find(part, at + part.size()))
        ++count;
    return count;
}

} // namespace coordination::testing
