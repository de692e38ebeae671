#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace coordination {

/// What files tell may hold anything; in a line for people there are no control characters.
inline std::string on_one_line(std::string text)
{
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    std::ranges::replace_if(text, is_control, '?');
    return text;
}

/// Why a state file cannot be loaded, and what to do about it, in one line.
inline std::string damaged(const std::string& path, std::string_view what)
{
    return on_one_line("cannot load " + path + ": " + std::string(what) +
                       ": restore the file from a copy, or move it away to start empty");
}

} // namespace coordination
