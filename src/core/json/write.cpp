#include "core/json/write.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace coordination::json {

void append_string(std::string& out, std::string_view text)
{
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    std::size_t plain = 0; // start of what needs no escape
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        out.append(text, plain, i - plain);
        plain = i + 1;
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            out += hex[c >> 4U];
            out += hex[c & 0xFU];
        }
    }
    out.append(text, plain);
    out += '"';
}

void append_decimal(std::string& out, double value)
{
    if (!std::isfinite(value)) {
        out += '0';
        return;
    }
    fmt::format_to(std::back_inserter(out), "{:.3f}", value);
    while (out.back() == '0')
        out.pop_back();
    if (out.back() == '.')
        out.pop_back();
}

} // namespace coordination::json
