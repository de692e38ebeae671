#include "persist/snapshot/row_fields.hpp"

#include "core/json/slice.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <ranges>

namespace coordination {
namespace {

/// Takes `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits)
{
    if (text.size() < digits)
        return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char c)
{
    if (!text.starts_with(c))
        return false;
    text.remove_prefix(1);
    return true;
}

/// Numbers with these counts of digits, each behind the separator before it.
template <std::size_t N>
std::optional<std::array<int, N>> take_numbers(std::string_view& text,
                                               const std::array<std::pair<char, std::size_t>, N>& shape)
{
    std::array<int, N> numbers{};
    for (std::size_t i = 0; i < N; ++i) {
        const auto& [separator, digits] = shape[i];
        if (separator != 0 && !take(text, separator))
            return std::nullopt;
        const auto number = take_number(text, digits);
        if (!number)
            return std::nullopt;
        numbers[i] = *number;
    }
    return numbers;
}

std::chrono::milliseconds take_fraction(std::string_view& text)
{
    std::chrono::milliseconds fraction{0};
    if (!take(text, '.'))
        return fraction;
    for (int unit = 100; !text.empty() && text.front() >= '0' && text.front() <= '9'; unit /= 10) {
        fraction += std::chrono::milliseconds((text.front() - '0') * unit);
        text.remove_prefix(1);
    }
    return fraction;
}

std::optional<std::chrono::minutes> take_zone(std::string_view& text)
{
    if (text.empty() || take(text, 'Z'))
        return std::chrono::minutes{0};
    const int sign = text.front() == '-' ? -1 : 1;
    if (!take(text, '+') && !take(text, '-'))
        return std::nullopt;
    const auto zone = take_numbers<2>(text, {{{'\0', 2}, {':', 2}}});
    if (!zone)
        return std::nullopt;
    return sign * (std::chrono::hours((*zone)[0]) + std::chrono::minutes((*zone)[1]));
}

/// `2025-11-24T12:40:00.000Z`, as JavaScript's toISOString() writes it; also with an offset.
std::optional<Timestamp> iso_time(std::string_view text)
{
    using namespace std::chrono;
    const auto date = take_numbers<3>(text, {{{'\0', 4}, {'-', 2}, {'-', 2}}});
    const auto clock = date ? take_numbers<3>(text, {{{'T', 2}, {':', 2}, {':', 2}}}) : std::nullopt;
    if (!clock)
        return std::nullopt;
    const year_month_day day{year((*date)[0]), month(static_cast<unsigned>((*date)[1])),
                             std::chrono::day(static_cast<unsigned>((*date)[2]))};
    const auto fraction = take_fraction(text);
    const auto zone = take_zone(text);
    if (!day.ok() || !zone || !text.empty() || (*clock)[0] > 23 || (*clock)[1] > 59 || (*clock)[2] > 60)
        return std::nullopt;
    return sys_days(day) + hours((*clock)[0]) + minutes((*clock)[1]) + seconds((*clock)[2]) + fraction -
           *zone;
}

} // namespace

Text text_of(std::string_view string_value)
{
    if (string_value.find('\\') != std::string_view::npos)
        return Text(json::unquoted(string_value));
    return Text(string_value.substr(1, string_value.size() - 2));
}

std::optional<Timestamp> time_in(std::string_view value)
{
    if (json::kind_of(value) == json::Kind::string)
        return iso_time(json::unquoted(value));
    if (json::kind_of(value) != json::Kind::number)
        return std::nullopt;
    if (const auto whole = json::integer_in(value))
        return Timestamp(std::chrono::milliseconds(*whole));
    constexpr double most = 253402300799999; // the year 9999: beyond it the conversion could overflow
    const auto fractional = json::double_in(value);
    if (!fractional || std::abs(*fractional) > most)
        return std::nullopt;
    return Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(*fractional)));
}

std::string_view RowFields::raw(std::string_view name) const noexcept
{
    for (const auto& [key, value] : fields_ | std::views::reverse)
        if (key == name)
            return value;
    return {};
}

std::string_view RowFields::value(std::string_view name) const noexcept
{
    const auto there = raw(name);
    return there == "null" ? std::string_view{} : there;
}

std::string RowFields::string(std::string_view name)
{
    const auto found = value(name);
    if (found.empty())
        return {};
    if (json::kind_of(found) == json::Kind::string)
        return json::unquoted(found);
    wrong_ = name;
    return {};
}

bool RowFields::flag(std::string_view name)
{
    const auto found = value(name);
    if (!found.empty() && json::kind_of(found) != json::Kind::boolean)
        wrong_ = name;
    return found == "true";
}

std::vector<std::string> RowFields::strings(std::string_view name)
{
    const auto found = value(name);
    std::vector<std::string> strings;
    if (found.empty())
        return strings;
    if (json::kind_of(found) != json::Kind::array) {
        wrong_ = name;
        return strings;
    }
    json::Elements elements(found);
    while (const auto element = elements.next()) {
        if (json::kind_of(*element) == json::Kind::string)
            strings.push_back(json::unquoted(*element));
        else
            wrong_ = name;
    }
    return strings;
}

Timestamp RowFields::time(std::string_view name)
{
    const auto found = value(name);
    if (found.empty())
        return {};
    const auto time = time_in(found);
    if (!time)
        wrong_ = name;
    return time.value_or(Timestamp{});
}

std::uint64_t RowFields::number_up_to(std::string_view name, std::uint64_t most)
{
    const auto found = value(name);
    if (found.empty())
        return 0;
    const auto number = json::integer_in(found);
    if (number && *number >= 0 && static_cast<std::uint64_t>(*number) <= most)
        return static_cast<std::uint64_t>(*number);
    wrong_ = name;
    return 0;
}

} // namespace coordination
