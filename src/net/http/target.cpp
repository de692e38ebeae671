#include "net/http/target.hpp"

#include <charconv>

namespace coordination {
namespace {

std::optional<std::string> decoded(std::string_view text, bool plus_is_blank)
{
    if (text.find_first_of("+%") == std::string_view::npos)
        return std::string(text);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_blank) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            unsigned char byte = 0;
            const auto digits = text.substr(i + 1, 2);
            const auto* begin = digits.data();
            const auto* end = begin + digits.size();
            if (digits.size() < 2 || std::from_chars(begin, end, byte, 16).ptr != end)
                return std::nullopt;
            out += static_cast<char>(byte);
            i += 2;
        }
    }
    return out;
}

/// Calls `use` with each part of `text` between separators; false when it does.
template <class Use>
bool for_each_part(std::string_view text, char separator, const Use& use)
{
    while (!text.empty()) {
        const auto end = std::min(text.find(separator), text.size());
        if (!use(text.substr(0, end)))
            return false;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return true;
}

} // namespace

std::string_view Target::query_value(std::string_view name) const noexcept
{
    for (const auto& [key, value] : query)
        if (key == name)
            return value;
    return {};
}

std::optional<Target> parse_target(std::string_view text)
{
    if (const auto scheme_end = text.find("://");
        scheme_end != std::string_view::npos && !text.starts_with('/'))
        text.remove_prefix(std::min(text.find('/', scheme_end + 3), text.size())); // as proxies write it
    if (!text.starts_with('/'))
        return std::nullopt;
    text = text.substr(0, text.find('#'));
    const auto question = text.find('?');

    Target target;
    target.path.reserve(4); // as many as the longest route has
    const auto add_segment = [&](std::string_view part) {
        auto segment = decoded(part, false);
        if (segment)
            target.path.push_back(std::move(*segment));
        return segment.has_value();
    };
    const auto add_query = [&](std::string_view part) {
        const auto equals = std::min(part.find('='), part.size());
        auto name = decoded(part.substr(0, equals), true);
        auto value = decoded(part.substr(std::min(equals + 1, part.size())), true);
        const bool good = name && value;
        if (good)
            target.query.emplace_back(std::move(*name), std::move(*value));
        return good;
    };
    const bool good =
        for_each_part(text.substr(1, question - 1), '/', add_segment) &&
        (question == std::string_view::npos || for_each_part(text.substr(question + 1), '&', add_query));
    if (!good)
        return std::nullopt;
    return target;
}

} // namespace coordination
