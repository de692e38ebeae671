#pragma once

#include "cli/config.hpp"

#include <optional>

namespace coordination::cli {

/// What only the machine can tell, before anything is started: may the chosen paths be written, what does the
/// token file hold (it goes into config.options.token), is the chosen engine there. Creates nothing.
std::optional<UsageError> preflight(Config& config);

} // namespace coordination::cli
