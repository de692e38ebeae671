#include "cli/ctl/text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace coordination::ctl {

namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
};

/// The code point at the start of `text`, or nothing where the bytes are no UTF-8
/// (overlong and surrogates included).
std::optional<CodePoint> decode(std::string_view text)
{
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80)
        return CodePoint{lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes)
        return std::nullopt;
    char32_t value = lead & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0U) != 0x80)
            return std::nullopt;
        value = (value << 6U) | (next & 0x3FU);
    }
    const bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (overlong || surrogate || value > 0x10FFFF)
        return std::nullopt;
    return CodePoint{value, bytes};
}

bool is_layout(char32_t c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

/// C0, DEL and C1 steer a terminal; the others reorder or hide what stands beside them.
bool steers(char32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string escaped(char32_t c)
{
    switch (c) {
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
    }
}

std::string defused(std::string_view text, bool keep_layout)
{
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const auto point = decode(text);
        if (!point) {
            shown += "\uFFFD";
            text.remove_prefix(1);
            continue;
        }
        if (steers(point->value) && !(keep_layout && is_layout(point->value)))
            shown += escaped(point->value);
        else
            shown += text.substr(0, point->bytes);
        text.remove_prefix(point->bytes);
    }
    return shown;
}

std::size_t width_of(char32_t c)
{
    const bool combining =
        (c >= 0x0300 && c <= 0x036F) || (c >= 0x200B && c <= 0x200D) || (c >= 0xFE00 && c <= 0xFE0F);
    if (combining)
        return 0;
    const bool wide =
        (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
        (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
        (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
    return wide ? 2 : 1;
}

} // namespace

std::string printable(std::string_view text)
{
    return defused(text, false);
}

std::string printable_json(std::string_view json)
{
    return defused(json, true);
}

std::size_t display_width(std::string_view text)
{
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto point = decode(text).value_or(CodePoint{0xFFFD, 1});
        columns += width_of(point.value);
        text.remove_prefix(point.bytes);
    }
    return columns;
}

std::string shortened(std::string_view text, std::size_t columns)
{
    if (display_width(text) <= columns)
        return std::string(text);
    if (columns == 0)
        return {};
    std::size_t taken = 0;
    std::size_t used = 1; // the ellipsis
    while (taken < text.size()) {
        const auto point = decode(text.substr(taken)).value_or(CodePoint{0xFFFD, 1});
        if (used + width_of(point.value) > columns)
            break;
        used += width_of(point.value);
        taken += point.bytes;
    }
    return std::string(text.substr(0, taken)) + "…";
}

std::string valid_utf8(std::string_view text)
{
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const auto point = decode(text);
        if (point)
            valid += text.substr(0, point->bytes);
        else
            valid += "\uFFFD";
        text.remove_prefix(point ? point->bytes : 1);
    }
    return valid;
}

std::string duration_text(std::chrono::milliseconds duration)
{
    const auto seconds = std::max<std::int64_t>(0, duration.count() / 1000);
    if (seconds < 60)
        return fmt::format("{}s", seconds);
    if (seconds < 3600)
        return fmt::format("{}m {}s", seconds / 60, seconds % 60);
    if (seconds < 86400)
        return fmt::format("{}h {}m", seconds / 3600, seconds % 3600 / 60);
    return fmt::format("{}d {}h", seconds / 86400, seconds % 86400 / 3600);
}

std::string age_text(std::int64_t time_ms, std::int64_t now_ms)
{
    if (time_ms <= 0)
        return "-";
    return duration_text(std::chrono::milliseconds{now_ms - time_ms}) + " ago";
}

std::string grouped(std::int64_t number)
{
    auto digits = fmt::format("{}", number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > static_cast<std::ptrdiff_t>(first);
         i -= 3)
        digits.insert(static_cast<std::size_t>(i), 1, ',');
    return digits;
}

std::int64_t now_ms()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace coordination::ctl
