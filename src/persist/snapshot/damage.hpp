#pragma once

#include <string>
#include <string_view>

namespace coordination {

/// Why a state file cannot be loaded, and what to do about it, in one line.
inline std::string damaged(const std::string& path, std::string_view what)
{
    return "cannot load " + path + ": " + std::string(what) +
           ": restore the file from a copy, or move it away to start empty";
}

} // namespace coordination
