#include "support/daemon_process.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>

using namespace coordination::testing;

namespace {

/// Status 2, nothing on standard output, and one line on standard error, which it returns.
std::string refusal(const Arguments& args, const Environment& environment = {})
{
    const auto ended = DaemonProcess::run(args, environment);
    CHECK(ended.status == 2);
    CHECK(ended.out.empty());
    CHECK(std::ranges::count(ended.err, '\n') == 1);
    CHECK_THAT(ended.err, Catch::EndsWith("\n"));
    return ended.err;
}

std::string answer(const Arguments& args, const Environment& environment = {})
{
    const auto ended = DaemonProcess::run(args, environment);
    CHECK(ended.status == 0);
    CHECK(ended.err.empty());
    return ended.out;
}

} // namespace

TEST_CASE("a wrong flag or value ends the process with status 2 and one line that names it")
{
    CHECK_THAT(refusal({"--prot", "1"}), Catch::Contains("--prot"));
    CHECK_THAT(refusal({"--port", "http"}), Catch::Contains("--port"));
    CHECK_THAT(refusal({"--preset", "prod"}), Catch::Contains("--preset"));
    CHECK_THAT(refusal({"--persistence", "disk"}), Catch::Contains("--persistence"));
    CHECK_THAT(refusal({"--heartbeat-timeout", "5000"}), Catch::Contains("--heartbeat-timeout"));
    CHECK_THAT(refusal({"--host", "0.0.0.0"}), Catch::Contains("--host"));
    CHECK_THAT(refusal({"--snapshot-path", "/dev/null/state.json"}), Catch::Contains("--snapshot-path"));
    CHECK_THAT(refusal({}, {{"COORDINATION_WS_PORT", "65536"}}), Catch::Contains("COORDINATION_WS_PORT"));
}

TEST_CASE("help, version and print-config answer on standard output with status 0")
{
    CHECK_THAT(answer({"--help"}), Catch::Contains("--heartbeat-timeout"));
    CHECK_THAT(answer({"--version"}), Catch::Contains("1.0.0"));

    const auto config = boost::json::parse(answer(
        {"--preset", "testing", "--ws-port", "7000", "--print-config"}, {{"COORDINATION_PORT", "7001"}}));
    const auto shown = [&](const char* name) {
        const auto& entry = config.at(name);
        return boost::json::serialize(entry.at("value")) + " " + std::string(entry.at("source").as_string());
    };
    CHECK(shown("ws-port") == "7000 flag");
    CHECK(shown("port") == "7001 env");
    CHECK(shown("heartbeat-timeout") == "3000 preset");
    CHECK(shown("snapshot-interval") == "30000 default");
}

TEST_CASE("port 0 takes a free port, and the one line on standard output tells which")
{
    DaemonProcess daemon;
    CHECK(daemon.http_port() != 0);
    CHECK(daemon.ws_port() != 0);
    const auto line = "listening http=127.0.0.1:" + std::to_string(daemon.http_port()) +
                      " ws=127.0.0.1:" + std::to_string(daemon.ws_port());
    const auto ended = daemon.terminate();
    CHECK(ended.out == line + "\n");
}

TEST_CASE("SIGTERM and SIGINT are a clean stop")
{
    for (const int number : {SIGTERM, SIGINT}) {
        INFO("signal " << number);
        DaemonProcess daemon{{"--threads", "2"}};
        daemon.signal(number);
        CHECK(daemon.wait().status == 0);
    }
}

TEST_CASE("a port that is taken ends the process with status 1 and one line that names it")
{
    DaemonProcess first;
    const auto port = std::to_string(first.http_port());
    const auto second =
        DaemonProcess::run({"--persistence", "memory-only", "--ws-port", "0", "--port", port});
    CHECK(second.status == 1);
    CHECK(second.out.empty());
    CHECK(std::ranges::count(second.err, '\n') == 1);
    CHECK_THAT(second.err, Catch::Contains(port));
}
