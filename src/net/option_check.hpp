#pragma once

#include "net/options.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace coordination {

/// What is wrong with the options, in one line that names the field; none: nothing. Paths are tried when the
/// state is loaded.
std::optional<std::string> fault_in(const DaemonOptions& options);

/// Whether only this machine can reach it.
bool is_loopback(const std::string& host);
/// An origin as browsers send it: a scheme and an authority, nothing after.
bool is_origin(std::string_view text);

} // namespace coordination
