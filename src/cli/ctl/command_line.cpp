#include "cli/ctl/command_line.hpp"

#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/ctl/arguments.hpp"
#include "cli/ctl/nouns.hpp"
#include "version.hpp"

namespace coordination::ctl {

namespace {

constexpr std::uint16_t default_ws_port = 9501;

struct GlobalTexts {
    std::string url = "http://127.0.0.1:9500";
    std::string ws_url;
    std::string token_file;
    bool json = false;
};

void add_globals(CLI::App& app, GlobalTexts& texts)
{
    app.add_option("--url", texts.url, "The daemon's HTTP address")
        ->envname("COORDINATION_HTTP_URL")
        ->capture_default_str();
    app.add_option("--ws-url", texts.ws_url,
                   "The daemon's WebSocket address (default: the host of --url, port 9501)")
        ->envname("COORDINATION_WS_URL");
    app.add_option("--token-file", texts.token_file, "A file that holds the daemon's access token")
        ->envname("COORDINATION_TOKEN_FILE");
    app.add_flag("--json", texts.json, "JSON for programs instead of tables for people");
}

tl::expected<std::string, std::string> read_token(const std::string& path)
{
    auto text = read_file(path);
    if (!text)
        return text;
    const auto end = text->find_first_of("\r\n");
    auto token = text->substr(0, end);
    if (token.empty())
        return tl::unexpected(path + " is empty");
    return token;
}

tl::expected<Settings, Failure> settle(const GlobalTexts& texts)
{
    Settings settings{.http = {}, .ws = {}, .token = {}, .json = texts.json};
    const auto http = parse_endpoint(texts.url, "http");
    if (!http)
        return tl::unexpected(wrong_usage(fmt::format("--url \"{}\": {}", texts.url, http.error())));
    settings.http = *http;
    settings.ws = Endpoint{.host = http->host, .port = default_ws_port};
    if (!texts.ws_url.empty()) {
        const auto ws = parse_endpoint(texts.ws_url, "ws");
        if (!ws)
            return tl::unexpected(wrong_usage(fmt::format("--ws-url \"{}\": {}", texts.ws_url, ws.error())));
        settings.ws = *ws;
    }
    if (!texts.token_file.empty()) {
        auto token = read_token(texts.token_file);
        if (!token)
            return tl::unexpected(wrong_usage("--token-file: " + token.error()));
        settings.token = std::move(*token);
    }
    return settings;
}

/// The one line of CLI11's complaint, with where to read more.
Failure usage_failure(const CLI::ParseError& error, std::vector<std::string> not_understood)
{
    std::erase(not_understood, "--"); // CLI11 keeps it there
    if (!not_understood.empty())
        return wrong_usage(
            fmt::format("\"{}\" is not understood; see coordctl --help", not_understood.front()));
    std::string message = error.what();
    if (const auto end = message.find('\n'); end != std::string::npos)
        message.resize(end);
    return wrong_usage(message + "; see coordctl --help");
}

} // namespace

tl::expected<std::variant<Invocation, Answer>, Failure>
read_command_line(std::span<const std::string> arguments)
{
    CLI::App app{"Looks into a running coordination daemon, and gives it work and workers.", "coordctl"};
    app.set_help_flag("--help,-h", "Print this and end; every command has its own --help");
    app.set_version_flag("--version", fmt::format("coordctl {}", version), "Print the version and end");
    app.footer("Exit status: 0 done; 1 the daemon refused or cannot be reached; 2 wrong usage.");
    app.require_subcommand(1);
    app.fallthrough(); // so that --json may stand at the end, too

    GlobalTexts texts;
    add_globals(app, texts);
    Command command;
    add_commands(app, command);
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        return Answer{app.help()};
    } catch (const CLI::CallForVersion& call) {
        return Answer{fmt::format("{}\n", call.what())};
    } catch (const CLI::ParseError& error) {
        return tl::unexpected(usage_failure(error, app.remaining(true)));
    }
    auto settings = settle(texts);
    if (!settings)
        return tl::unexpected(settings.error());
    return Invocation{std::move(*settings), std::move(command)};
}

} // namespace coordination::ctl
