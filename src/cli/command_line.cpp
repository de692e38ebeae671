#include "cli/command_line.hpp"

#include "cli/setting.hpp"
#include "version.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace coordination::cli {

namespace {

/// What the help shows behind a value's name; none for what has no value unless it is given.
std::string default_of(const Setting& setting, const Config& defaults)
{
    const auto value = setting.show(defaults);
    if (value.is_string())
        return std::string(value.as_string());
    return value.is_number() ? boost::json::serialize(value) : std::string();
}

CLI::Option* declare(CLI::App& app, const Setting& setting, const Config& defaults)
{
    const auto names =
        setting.letter ? fmt::format("-{},{}", setting.letter, setting.flag()) : setting.flag();
    const std::string help{setting.help};
    CLI::Option* option = nullptr;
    if (setting.value_name.empty()) {
        option = app.add_flag(names, help)->take_last();
    } else {
        option = app.add_option(names, help)
                     ->type_name(std::string(setting.value_name))
                     ->default_str(default_of(setting, defaults));
        if (setting.name == "allow-origin" ||
            setting.name == "max-running") // a list, as the variable holds it: separated by commas
            option->take_all();
        else
            option->take_last();
    }
    return option->group(std::string(setting.group));
}

} // namespace

tl::expected<std::variant<Config, Answer>, UsageError>
read_command_line(std::span<const std::string> arguments, const Texts& environment)
{
    // CLI11 takes the arguments apart and writes the help. What the texts mean is settled elsewhere, so that
    // a flag and a variable are read by the same code.
    CLI::App app{"Coordinates workers and tasks in memory, over HTTP and WebSocket.", "coordination-daemon"};
    bool print_config = false;
    app.set_help_flag("--help", "print this and end")->group("General");
    app.set_version_flag("--version", fmt::format("coordination-daemon {}", version),
                         "print the version and end")
        ->group("General");
    app.add_flag("--print-config", print_config, "print each setting and where it came from, and end")
        ->group("General");
    app.footer(
        "Each --some-flag has a variable COORDINATION_SOME_FLAG. A flag beats the variable, the variable\n"
        "beats the preset, the preset beats the default.");
    app.get_formatter()->column_width(48);
    app.allow_extras(); // so that the message about one is ours

    const Config defaults;
    std::vector<std::pair<std::string_view, CLI::Option*>> options;
    for (const auto& setting : settings())
        options.emplace_back(setting.name, declare(app, setting, defaults));

    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        return Answer{app.help()};
    } catch (const CLI::CallForVersion& call) {
        return Answer{fmt::format("{}\n", call.what())};
    } catch (const CLI::ParseError& error) {
        return tl::unexpected(UsageError{error.what()});
    }

    if (const auto extras = app.remaining(); !extras.empty()) {
        const auto& first = extras.front();
        return tl::unexpected(UsageError{
            first.starts_with('-')
                ? fmt::format("{}: no such flag; --help lists them", first.substr(0, first.find('=')))
                : fmt::format("'{}': not a flag; --help lists them", first)});
    }

    Texts flags;
    for (const auto& [name, option] : options) {
        if (option->count() != 0)
            flags.emplace(name, fmt::format("{}", fmt::join(option->reduced_results(), ",")));
    }
    auto config = settle(flags, environment);
    if (!config)
        return tl::unexpected(std::move(config).error());
    if (print_config)
        return Answer{describe(*config)};
    return *std::move(config);
}

} // namespace coordination::cli
