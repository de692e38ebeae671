#include "cli/config.hpp"

#include "cli/setting.hpp"
#include "net/option_check.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace coordination::cli {

namespace {

const Setting& find(std::string_view name)
{
    return *std::ranges::find(settings(), name, &Setting::name);
}

std::string_view name_of(Source source)
{
    switch (source) {
    case Source::by_default:
        return "default";
    case Source::preset:
        return "preset";
    case Source::env:
        return "env";
    case Source::flag:
        return "flag";
    }
    return {};
}

Source source_of(const Config& config, std::string_view setting)
{
    const auto known = config.sources.find(setting);
    return known == config.sources.end() ? Source::by_default : known->second;
}

struct Given {
    std::string_view text;
    Source source;
};

std::optional<Given> given(const Setting& setting, const Texts& flags, const Texts& environment,
                           const std::string& preset)
{
    if (const auto flag = flags.find(setting.name); flag != flags.end())
        return Given{flag->second, Source::flag};
    if (const auto variable = environment.find(setting.variable());
        variable != environment.end() && !variable->second.empty())
        return Given{variable->second, Source::env};
    if (preset.empty())
        return std::nullopt;
    const auto& values = presets().at(preset);
    const auto value = std::ranges::find(values, setting.name, &PresetValues::value_type::first);
    if (value == values.end())
        return std::nullopt;
    return Given{value->second, Source::preset};
}

/// What no setting can tell alone.
std::optional<UsageError> disagreement(const Config& config)
{
    const auto& options = config.options;
    if (options.heartbeat_timeout <= options.heartbeat_interval) {
        // The one that was asked for more expressly is the one at fault.
        const bool blame_interval =
            source_of(config, "heartbeat-interval") > source_of(config, "heartbeat-timeout");
        return UsageError{fmt::format(
            "{}: the heartbeat timeout ({} ms, {}) must be longer than the heartbeat interval ({} ms, {})",
            origin_of(config, blame_interval ? "heartbeat-interval" : "heartbeat-timeout"),
            options.heartbeat_timeout.count(), name_of(source_of(config, "heartbeat-timeout")),
            options.heartbeat_interval.count(), name_of(source_of(config, "heartbeat-interval")))};
    }
    if (!is_loopback(options.host) && config.token_file.empty() && !options.insecure)
        return UsageError{fmt::format(
            "{}: '{}' lets other machines in: name an access token with --token-file FILE, or say "
            "--insecure if anyone there may use the daemon",
            origin_of(config, "host"), options.host)};
    return std::nullopt;
}

} // namespace

tl::expected<Config, UsageError> settle(const Texts& flags, const Texts& environment)
{
    Config config;
    for (const auto& setting : settings()) { // `preset` is the first of them
        const auto text = given(setting, flags, environment, config.preset);
        if (!text)
            continue;
        config.sources.emplace(setting.name, text->source);
        if (const auto set = setting.set(config, text->text); !set)
            return tl::unexpected(
                UsageError{fmt::format("{}: {}", origin_of(config, setting.name), set.error())});
    }
    if (auto error = disagreement(config))
        return tl::unexpected(*std::move(error));
    return config;
}

std::string origin_of(const Config& config, std::string_view setting)
{
    const auto source = source_of(config, setting);
    if (source == Source::preset)
        return origin_of(config, "preset");
    return source == Source::env ? find(setting).variable() : find(setting).flag();
}

std::string describe(const Config& config)
{
    std::string text = "{";
    for (std::string_view separator = "\n"; const auto& setting : settings()) {
        const boost::json::object entry{{"value", setting.show(config)},
                                        {"source", name_of(source_of(config, setting.name))}};
        text += fmt::format("{}  \"{}\": {}", separator, setting.name, boost::json::serialize(entry));
        separator = ",\n";
    }
    return text + "\n}\n";
}

} // namespace coordination::cli
