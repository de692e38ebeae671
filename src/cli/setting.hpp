#pragma once

#include "cli/config.hpp"

#include <span>
#include <utility>
#include <vector>

namespace coordination::cli {

/// One thing that can be configured: `--NAME` and `COORDINATION_NAME`.
struct Setting {
    std::string_view name;
    char letter; ///< short flag; 0: none
    std::string_view group;
    std::string_view value_name; ///< empty: a flag that needs no value
    std::string_view help;
    /// The error says what the text is not: "'x' is not a number from 0 to 65535".
    tl::expected<void, std::string> (*set)(Config&, std::string_view text);
    boost::json::value (*show)(const Config&);

    std::string flag() const;
    std::string variable() const;
};

/// All of them, in the order in which people read them.
std::span<const Setting> settings();

/// The seed's four: name of a preset → texts of the settings that it names.
using PresetValues = std::vector<std::pair<std::string_view, std::string_view>>;
const std::map<std::string_view, PresetValues>& presets();

} // namespace coordination::cli
