#include "core/json/slice.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

#include <charconv>

namespace coordination::json {
namespace {

/// Takes everything and keeps nothing: the parser checks the grammar on the way.
struct Check {
    static constexpr std::size_t max_object_size = ~std::size_t{0};
    static constexpr std::size_t max_array_size = ~std::size_t{0};
    static constexpr std::size_t max_key_size = ~std::size_t{0};
    static constexpr std::size_t max_string_size = ~std::size_t{0};

    using error_code = boost::json::error_code;
    using string_view = boost::json::string_view;
    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return true; }
    bool on_object_end(std::size_t, error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(string_view, std::size_t, error_code&) { return true; }
    bool on_key(string_view, std::size_t, error_code&) { return true; }
    bool on_string_part(string_view, std::size_t, error_code&) { return true; }
    bool on_string(string_view, std::size_t, error_code&) { return true; }
    bool on_number_part(string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, string_view, error_code&) { return true; }
    bool on_double(double, string_view, error_code&) { return true; }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }
};

constexpr bool is_space(char c) noexcept
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::size_t after_space(std::string_view text, std::size_t at) noexcept
{
    while (at < text.size() && is_space(text[at]))
        ++at;
    return at;
}

/// `at` is on the opening quote; the result is behind the closing one.
std::size_t after_string(std::string_view text, std::size_t at) noexcept
{
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return text.size();
}

std::size_t after_value(std::string_view text, std::size_t at) noexcept
{
    std::size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = after_string(text, at);
            if (depth == 0)
                return at;
            continue;
        }
        if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return at; // the end of what holds the scalar
            if (--depth == 0)
                return at + 1;
        } else if (depth == 0 && (c == ',' || is_space(c))) {
            return at;
        }
        ++at;
    }
    return at;
}

} // namespace

tl::expected<void, Malformed> validate(std::string_view text, std::size_t depth_max)
{
    boost::json::parse_options options;
    options.max_depth = depth_max;
    boost::json::basic_parser<Check> parser(options);
    boost::json::error_code failure;
    const auto used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure)
        return tl::unexpected(Malformed{used, failure.message(), failure == boost::json::error::too_deep});
    const auto end = after_space(text, used);
    if (end != text.size())
        return tl::unexpected(Malformed{.offset = end, .what = "more text after the value"});
    return {};
}

Kind kind_of(std::string_view value) noexcept
{
    switch (value.empty() ? 'n' : value.front()) {
    case '{':
        return Kind::object;
    case '[':
        return Kind::array;
    case '"':
        return Kind::string;
    case 't':
    case 'f':
        return Kind::boolean;
    case 'n':
        return Kind::null;
    default:
        return Kind::number;
    }
}

bool Member::named(std::string_view name) const
{
    if (key == name)
        return true;
    return key.find('\\') != std::string_view::npos && unescaped(key) == name;
}

Members::Members(std::string_view object) noexcept : rest_(trimmed(object).substr(1)) {}

std::optional<Member> Members::next() noexcept
{
    std::size_t at = 0;
    while (at < rest_.size() && (is_space(rest_[at]) || rest_[at] == ','))
        ++at;
    if (at >= rest_.size() || rest_[at] == '}')
        return std::nullopt;
    const auto key_begin = at;
    const auto key_end = after_string(rest_, at);
    at = after_space(rest_, key_end); // on the colon
    at = after_space(rest_, at + 1);
    const auto value_end = after_value(rest_, at);
    Member member{.key = rest_.substr(key_begin + 1, key_end - key_begin - 2),
                  .value = rest_.substr(at, value_end - at),
                  .whole = rest_.substr(key_begin, value_end - key_begin)};
    rest_.remove_prefix(value_end);
    return member;
}

Elements::Elements(std::string_view array) noexcept : rest_(trimmed(array).substr(1)) {}

std::optional<std::string_view> Elements::next() noexcept
{
    std::size_t at = 0;
    while (at < rest_.size() && (is_space(rest_[at]) || rest_[at] == ','))
        ++at;
    if (at >= rest_.size() || rest_[at] == ']')
        return std::nullopt;
    const auto end = after_value(rest_, at);
    const auto element = rest_.substr(at, end - at);
    rest_.remove_prefix(end);
    return element;
}

std::optional<Member> member_named(std::string_view object, std::string_view name)
{
    Members members(object);
    auto member = members.next();
    while (member && !member->named(name))
        member = members.next();
    return member;
}

std::string amended(std::string_view object, std::string_view changes)
{
    std::string out;
    const auto append = [&out](std::string_view member) {
        if (!out.empty())
            out += ',';
        out += member;
    };
    Members kept(object);
    while (const auto member = kept.next()) {
        const auto change = member_named(changes, unescaped(member->key));
        append(change ? change->whole : member->whole);
    }
    Members added(changes);
    while (const auto member = added.next())
        if (!member_named(object, unescaped(member->key)))
            append(member->whole);
    return out;
}

std::string unquoted(std::string_view string_value)
{
    return unescaped(string_value.substr(1, string_value.size() - 2));
}

std::string unescaped(std::string_view key)
{
    if (key.find('\\') == std::string_view::npos)
        return std::string(key);
    std::string quoted;
    quoted.reserve(key.size() + 2);
    quoted.append("\"").append(key).append("\"");
    boost::json::error_code failure;
    const auto value = boost::json::parse(quoted, failure);
    if (failure || !value.is_string())
        return std::string(key);
    const auto& text = value.get_string();
    return {text.data(), text.size()};
}

std::optional<std::int64_t> integer_in(std::string_view number) noexcept
{
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (failure != std::errc{} || end != number.data() + number.size())
        return std::nullopt;
    return value;
}

std::optional<double> double_in(std::string_view number) noexcept
{
    double value = 0;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (failure != std::errc{} || end != number.data() + number.size())
        return std::nullopt;
    return value;
}

std::string_view trimmed(std::string_view text) noexcept
{
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

} // namespace coordination::json
