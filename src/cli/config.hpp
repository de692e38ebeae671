#pragma once

#include "net/options.hpp"

#include <boost/json/value.hpp>
#include <tl/expected.hpp>

#include <map>
#include <string>
#include <string_view>

namespace coordination::cli {

enum class Source { by_default, preset, env, flag };

/// One line for standard error that names the flag or variable at fault. The process ends with status 2.
struct UsageError {
    std::string line;
};

/// What the command line, the environment and the preset came to.
struct Config {
    DaemonOptions options;
    std::string preset;     ///< empty: none
    std::string token_file; ///< read by preflight(), into options.token
    std::string log_level = "info";
    std::map<std::string, Source, std::less<>> sources; ///< by setting; one that is not here is a default
};

using Texts = std::map<std::string, std::string, std::less<>>;

/// Settles each setting: a flag beats a variable, that beats the preset, that beats the default.
///
/// `flags` are texts by setting name (`ws-port`), `environment` by variable name (`COORDINATION_WS_PORT`); an
/// empty variable counts as absent, since that is how compose files write one. A text that lost to another is
/// not looked at, so a bad one does no harm.
tl::expected<Config, UsageError> settle(const Texts& flags, const Texts& environment);

/// "--ws-port" or "COORDINATION_WS_PORT": what the user wrote that `setting` has its value from. A value that
/// came with a preset is put down to the preset; a default to the flag that would change it.
std::string origin_of(const Config& config, std::string_view setting);

/// Name → {"value", "source"}, a line a setting. The token itself is not shown.
std::string describe(const Config& config);

} // namespace coordination::cli
