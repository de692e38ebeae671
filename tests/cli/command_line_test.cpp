#include "cli/command_line.hpp"
#include "cli/setting.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::cli;

namespace {

using Arguments = std::vector<std::string>;

tl::expected<Config, std::string> read(const Arguments& arguments, const Texts& environment = {})
{
    auto outcome = read_command_line(arguments, environment);
    if (!outcome)
        return tl::unexpected(outcome.error().line);
    return std::get<Config>(*outcome);
}

std::string refusal(const Arguments& arguments, const Texts& environment = {})
{
    const auto outcome = read_command_line(arguments, environment);
    return outcome ? "not refused" : outcome.error().line;
}

std::string answer(const Arguments& arguments, const Texts& environment = {})
{
    const auto outcome = read_command_line(arguments, environment);
    REQUIRE(outcome);
    return std::get<Answer>(*outcome).text;
}

boost::json::object printed(Arguments arguments, const Texts& environment = {})
{
    arguments.emplace_back("--print-config");
    return boost::json::parse(answer(arguments, environment)).as_object();
}

/// For each setting: its variable's name, two values that no default or preset has, and a wrong one.
struct Sample {
    std::string name;
    std::string variable;
    std::string one;
    std::string other;
    std::string wrong;
};

const std::vector<Sample>& samples()
{
    static const std::vector<Sample> all{
        {"log-level", "COORDINATION_LOG_LEVEL", "debug", "warn", "loud"},
        {"threads", "COORDINATION_THREADS", "2", "3", "0"},
        {"host", "COORDINATION_HOST", "127.0.0.2", "::1", "0.0.0.0"},
        {"port", "COORDINATION_PORT", "0", "65535", "65536"},
        {"ws-port", "COORDINATION_WS_PORT", "1", "2", "-1"},
        {"token-file", "COORDINATION_TOKEN_FILE", "a", "b", ""},
        {"allow-origin", "COORDINATION_ALLOW_ORIGIN", "http://a", "https://b:8443", "b.example"},
        {"persistence", "COORDINATION_PERSISTENCE", "memory-only", "write-ahead-log", "forever"},
        {"snapshot-path", "COORDINATION_SNAPSHOT_PATH", "a", "b", ""},
        {"snapshot-interval", "COORDINATION_SNAPSHOT_INTERVAL", "1", "2", "0"},
        {"wal-path", "COORDINATION_WAL_PATH", "a", "b", ""},
        {"wal-sync-interval", "COORDINATION_WAL_SYNC_INTERVAL", "0", "2", "-1"},
        {"heartbeat-interval", "COORDINATION_HEARTBEAT_INTERVAL", "7", "8", "0"},
        {"heartbeat-timeout", "COORDINATION_HEARTBEAT_TIMEOUT", "20000", "30000", "5000"},
        {"tasks-max", "COORDINATION_TASKS_MAX", "7", "8", "0"},
        {"workers-max", "COORDINATION_WORKERS_MAX", "7", "8", "0"},
        {"max-tasks-per-worker", "COORDINATION_MAX_TASKS_PER_WORKER", "7", "8", "0"},
        {"crash-limit", "COORDINATION_CRASH_LIMIT", "7", "8", "0"},
        {"aging", "COORDINATION_AGING", "7", "8", "0"},
        {"cancel-grace", "COORDINATION_CANCEL_GRACE", "7", "8", "0"},
        {"max-running", "COORDINATION_MAX_RUNNING", "capability:gpu=2", "field:repo=1", "gpu=2"},
        {"keep-ended-for", "COORDINATION_KEEP_ENDED_FOR", "7", "8", "-1"},
        {"keep-ended-count", "COORDINATION_KEEP_ENDED_COUNT", "7", "8", "-1"},
        {"keep-ended-bytes", "COORDINATION_KEEP_ENDED_BYTES", "7", "8", "-1"},
        {"max-queue-size", "COORDINATION_MAX_QUEUE_SIZE", "7", "8", "0"},
        {"max-queue-bytes", "COORDINATION_MAX_QUEUE_BYTES", "7", "8", "0"},
        {"ack-timeout", "COORDINATION_ACK_TIMEOUT", "7", "8", "0"},
        {"message-ttl", "COORDINATION_MESSAGE_TTL", "7", "8", "0"},
        {"dedup-window", "COORDINATION_DEDUP_WINDOW", "7", "8", "0"},
        {"dedup-count", "COORDINATION_DEDUP_COUNT", "7", "8", "0"},
        {"dead-letters-max", "COORDINATION_DEAD_LETTERS_MAX", "7", "8", "0"},
        {"processing-interval", "COORDINATION_PROCESSING_INTERVAL", "7", "8", "-1"},
        {"connections-max", "COORDINATION_CONNECTIONS_MAX", "7", "8", "0"},
        {"body-bytes-max", "COORDINATION_BODY_BYTES_MAX", "7", "8", "0"},
        {"header-bytes-max", "COORDINATION_HEADER_BYTES_MAX", "7", "8", "0"},
        {"frame-bytes-max", "COORDINATION_FRAME_BYTES_MAX", "7", "8", "0"},
        {"call-bytes-max", "COORDINATION_CALL_BYTES_MAX", "7", "8", "0"},
        {"outbox-bytes-max", "COORDINATION_OUTBOX_BYTES_MAX", "7", "8", "0"},
        {"subscription-bytes-max", "COORDINATION_SUBSCRIPTION_BYTES_MAX", "7", "8", "0"},
        {"watch-bytes-max", "COORDINATION_WATCH_BYTES_MAX", "7", "8", "0"},
        {"id-bytes-max", "COORDINATION_ID_BYTES_MAX", "7", "8", "0"},
        {"json-depth-max", "COORDINATION_JSON_DEPTH_MAX", "7", "8", "1025"},
        {"handshake-timeout", "COORDINATION_HANDSHAKE_TIMEOUT", "7", "8", "0"},
        {"request-timeout", "COORDINATION_REQUEST_TIMEOUT", "7", "8", "1.5"},
        {"http-idle-timeout", "COORDINATION_HTTP_IDLE_TIMEOUT", "7", "8", "10s"},
        {"ws-idle-timeout", "COORDINATION_WS_IDLE_TIMEOUT", "7", "8", " 7"},
        {"drain-timeout", "COORDINATION_DRAIN_TIMEOUT", "7", "8", "2147483648"},
    };
    return all;
}

/// The value of a setting as text, whatever JSON made of it.
std::string text_of(const boost::json::value& value)
{
    if (value.is_string())
        return std::string(value.as_string());
    if (value.is_array())
        return value.as_array().size() == 1 ? text_of(value.as_array().front())
                                            : boost::json::serialize(value);
    return boost::json::serialize(value);
}

void check_shown(const boost::json::object& config, const std::string& name, const std::string& value,
                 const std::string& source)
{
    CHECK(text_of(config.at(name).at("value")) == value);
    CHECK(config.at(name).at("source").as_string() == source);
}

} // namespace

TEST_CASE("every setting has a sample here")
{
    std::vector<std::string> names{"preset", "insecure"}; // they have cases of their own
    for (const auto& sample : samples())
        names.push_back(sample.name);
    std::vector<std::string> known;
    for (const auto& setting : settings())
        known.emplace_back(setting.name);
    CHECK_THAT(known, Catch::UnorderedEquals(names));
}

TEST_CASE("a flag beats the variable, the variable beats the preset, the preset beats the default")
{
    for (const auto& [name, variable, one, other, wrong] : samples()) {
        INFO("setting " << name);
        const auto& values = presets().at("testing");
        const auto preset = std::ranges::find(values, name, &PresetValues::value_type::first);

        auto config = printed({});
        CHECK(config.at(name).at("source").as_string() == "default");
        config = printed({"--preset", "testing"});
        if (preset == values.end())
            CHECK(config.at(name).at("source").as_string() == "default");
        else
            check_shown(config, name, std::string(preset->second), "preset");
        check_shown(printed({"--preset", "testing"}, {{variable, one}}), name, one, "env");
        check_shown(printed({"--" + name, other, "--preset", "testing"}, {{variable, one}}), name, other,
                    "flag");
        check_shown(printed({"--" + name + "=" + other}), name, other, "flag");
        check_shown(printed({"--" + name, one, "--" + name, other}), name,
                    name == "allow-origin" || name == "max-running" ? "[\"" + one + "\",\"" + other + "\"]"
                                                                    : other,
                    "flag");
    }
}

TEST_CASE("a wrong value is one line that names the flag or the variable it stood in")
{
    for (const auto& [name, variable, one, other, wrong] : samples()) {
        INFO("setting " << name);
        const auto of_flag = refusal({"--" + name + "=" + wrong});
        CHECK_THAT(of_flag, Catch::Contains("--" + name));
        CHECK(of_flag.find('\n') == std::string::npos);

        if (wrong.empty()) // an empty variable is an absent one
            continue;
        const auto of_variable = refusal({}, {{variable, wrong}});
        CHECK_THAT(of_variable, Catch::StartsWith(variable + ": "));
        CHECK(of_variable.find('\n') == std::string::npos);
    }
}

TEST_CASE("a wrong value that lost to another does no harm")
{
    const auto config = read({"--port", "1"}, {{"COORDINATION_PORT", "wrong"}});
    REQUIRE(config);
    CHECK(config->options.http_port == 1);
}

TEST_CASE("the defaults are those of DaemonOptions")
{
    const auto config = read({});
    REQUIRE(config);
    CHECK(config->options.http_port == 9500);
    CHECK(config->options.ws_port == 9501);
    CHECK(config->options.host == "127.0.0.1");
    CHECK(config->options.persistence == Persistence::periodic_snapshot);
    CHECK(config->options.heartbeat_interval == std::chrono::seconds{5});
    CHECK(config->options.heartbeat_timeout == std::chrono::seconds{15});
    CHECK(config->options.max_tasks_per_worker == 10);
}

TEST_CASE("an empty variable is an absent one")
{
    check_shown(printed({}, {{"COORDINATION_PORT", ""}}), "port", "9500", "default");
}

TEST_CASE("other variables of the same family are let be")
{
    CHECK(read({}, {{"COORDINATION_WS_URL", "ws://localhost:9501"}, {"COORDINATION_TOKEN", "t"}}));
}

TEST_CASE("the letters p, w and h stand for port, ws-port and host")
{
    const auto config = read({"-p", "1", "-w2", "-h", "127.0.0.3"});
    REQUIRE(config);
    CHECK(config->options.http_port == 1);
    CHECK(config->options.ws_port == 2);
    CHECK(config->options.host == "127.0.0.3");
}

TEST_CASE("what is no flag is named")
{
    CHECK_THAT(refusal({"--prot", "1"}), Catch::StartsWith("--prot: "));
    CHECK_THAT(refusal({"--prot=1"}), Catch::StartsWith("--prot: "));
    CHECK_THAT(refusal({"-x"}), Catch::StartsWith("-x: "));
    CHECK_THAT(refusal({"serve"}), Catch::StartsWith("'serve': "));
    CHECK_THAT(refusal({"--port"}), Catch::StartsWith("--port: "));
    CHECK_THAT(refusal({"--port", "--insecure"}), Catch::StartsWith("--port: "));
}

TEST_CASE("an unknown preset or persistence is answered with the names there are")
{
    CHECK(refusal({"--preset", "prod"}) ==
          "--preset: no preset 'prod': development, highAvailability, production, testing");
    CHECK(refusal({}, {{"COORDINATION_PRESET", "prod"}}) ==
          "COORDINATION_PRESET: no preset 'prod': development, highAvailability, production, testing");
    CHECK(refusal({"--persistence", "disk"}) ==
          "--persistence: no persistence 'disk': memory-only, periodic-snapshot, write-ahead-log");
}

TEST_CASE(
    "the heartbeat timeout must be longer than the interval, and who asked for it more expressly is named")
{
    CHECK(refusal({"--heartbeat-interval", "15000"}) ==
          "--heartbeat-interval: the heartbeat timeout (15000 ms, default) must be longer than the heartbeat "
          "interval (15000 ms, flag)");
    CHECK_THAT(refusal({"--heartbeat-timeout", "5000"}), Catch::StartsWith("--heartbeat-timeout: "));
    CHECK_THAT(refusal({"--heartbeat-timeout", "9", "--heartbeat-interval", "9"}),
               Catch::StartsWith("--heartbeat-timeout: "));
    CHECK_THAT(refusal({"--preset", "testing"}, {{"COORDINATION_HEARTBEAT_INTERVAL", "4000"}}),
               Catch::StartsWith("COORDINATION_HEARTBEAT_INTERVAL: "));
    CHECK(read({"--heartbeat-timeout", "5001"}));
}

TEST_CASE("a host other than loopback needs a token or --insecure")
{
    for (const char* host : {"0.0.0.0", "::", "192.168.0.7", "example.com", "127.example.com", "128.0.0.1"}) {
        INFO(host);
        CHECK_THAT(refusal({"--host", host}), Catch::StartsWith("--host: ") &&
                                                  Catch::Contains("--token-file") &&
                                                  Catch::Contains("--insecure"));
        CHECK_THAT(refusal({}, {{"COORDINATION_HOST", host}}), Catch::StartsWith("COORDINATION_HOST: "));
        CHECK(read({"--host", host, "--insecure"}));
        CHECK(read({"--host", host}, {{"COORDINATION_INSECURE", "true"}}));
        CHECK(read({"--host", host, "--token-file", "t"}));
        CHECK(refusal({"--host", host}, {{"COORDINATION_INSECURE", "0"}}) != "not refused");
    }
    for (const char* host : {"127.0.0.1", "127.8.8.8", "::1", "localhost"}) {
        INFO(host);
        CHECK(read({"--host", host}));
    }
}

TEST_CASE("insecure is a flag or a truth")
{
    check_shown(printed({}), "insecure", "false", "default");
    check_shown(printed({"--insecure"}), "insecure", "true", "flag");
    check_shown(printed({"--insecure=false"}, {{"COORDINATION_INSECURE", "1"}}), "insecure", "false", "flag");
    check_shown(printed({}, {{"COORDINATION_INSECURE", "yes"}}), "insecure", "true", "env");
    CHECK(refusal({}, {{"COORDINATION_INSECURE", "perhaps"}}) ==
          "COORDINATION_INSECURE: 'perhaps' is neither true nor false");
}

TEST_CASE("origins may be repeated or separated by commas")
{
    const auto config = read({"--allow-origin", "http://a,http://b", "--allow-origin", "https://c:1"});
    REQUIRE(config);
    CHECK(config->options.allow_origins == std::vector<std::string>{"http://a", "http://b", "https://c:1"});
    for (const char* wrong : {"*", "http://a/path", "http://", "a", "http://a,,http://b", "ftp://a"}) {
        INFO(wrong);
        CHECK_THAT(refusal({"--allow-origin", wrong}), Catch::StartsWith("--allow-origin: "));
    }
}

TEST_CASE("print-config shows every setting, even of an engine that is not there")
{
    const auto config = printed({"--preset", "highAvailability"});
    CHECK(config.size() == settings().size());
    check_shown(config, "preset", "highAvailability", "flag");
    check_shown(config, "persistence", "write-ahead-log", "preset");
    check_shown(printed({}), "preset", "null", "default");
    CHECK_THAT(refusal({"--print-config", "--port", "x"}), Catch::StartsWith("--port: "));
}

TEST_CASE("help names every flag, and version the version")
{
    const auto help = answer({"--help"});
    for (const auto& setting : settings()) {
        INFO(setting.name);
        CHECK_THAT(help, Catch::Contains(setting.flag()));
    }
    CHECK(answer({"--version"}) == "coordination-daemon 1.0.0\n");
}
