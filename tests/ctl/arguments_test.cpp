#include "cli/ctl/arguments.hpp"
#include "cli/ctl/command_line.hpp"
#include "net/client/endpoint.hpp"
#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>

using namespace coordination;
using namespace coordination::ctl;
using coordination::testing::TempDir;
using coordination::testing::write_file;

namespace {

using Words = std::vector<std::string>;

std::string complaint(const Words& words)
{
    const auto read = read_command_line(words);
    if (read)
        return "accepted";
    CHECK(read.error().status == 2);
    CHECK(read.error().message.find('\n') == std::string::npos);
    return read.error().message;
}

bool accepted(const Words& words)
{
    return read_command_line(words).has_value();
}

} // namespace

TEST_CASE("a URL is scheme, host and port", "[url]")
{
    CHECK(parse_endpoint("http://10.0.0.5:9500", "http")->authority() == "10.0.0.5:9500");
    CHECK(parse_endpoint("http://localhost", "http")->port == 80);
    CHECK(parse_endpoint("ws://[::1]:9501/", "ws")->host == "::1");
    CHECK(parse_endpoint("ws://[::1]:9501/", "ws")->authority() == "[::1]:9501");
    for (const auto* wrong :
         {"https://x:1", "x:1", "http://", "http://:1", "http://x:0", "http://x:65536", "http://x:1a",
          "http://x:", "http://[::1", "http://[::1]9", "http://x:1/path", "http://u@x:1"})
        CHECK_FALSE(parse_endpoint(wrong, "http").has_value());
}

TEST_CASE("a list is separated by commas", "[arguments]")
{
    CHECK(parse_list("a,b") == Words{"a", "b"});
    CHECK(parse_list(" a , ,b c,") == Words{"a", "b c"});
    CHECK(parse_list("").empty());
}

TEST_CASE("what is wrong with JSON is told by line and column", "[arguments]")
{
    CHECK(parse_json(" 5 ").has_value());
    CHECK(parse_json("\"x\"").has_value());
    CHECK(parse_json("{\n  \"a\": x\n}").error().starts_with("line 2, column 8: "));
    CHECK(parse_json("{\"a\": [1,").error().starts_with("line 1, column 10: "));
    CHECK(parse_json("").error().starts_with("line 1, column 1: "));
    CHECK_FALSE(parse_json("{} {}").has_value());
    CHECK_FALSE(parse_json("nul").has_value());
}

TEST_CASE("JSON can stand on the command line or in a file", "[arguments]")
{
    const TempDir folder;
    write_file(folder.file("data.json"), R"({"title":"x"})");
    write_file(folder.file("bad.json"), "{\n]");
    CHECK(read_object_argument(R"({"a":1})")->at("a") == 1);
    CHECK(read_object_argument("@" + folder.file("data.json"))->at("title") == "x");
    CHECK(read_object_argument("@" + folder.file("bad.json")).error().find("bad.json, line 2, column 1") !=
          std::string::npos);
    CHECK(read_object_argument("@" + folder.file("none.json")).error().find("No such file") !=
          std::string::npos);
    CHECK_FALSE(read_object_argument("[1]").has_value());
}

TEST_CASE("every command takes the options that hold for all, before and behind it", "[command line]")
{
    CHECK(accepted({"state", "--json"}));
    CHECK(accepted({"--json", "task", "ls"}));
    CHECK(accepted({"task", "ls", "--url", "http://h:1", "--json", "--status", "failed"}));
    CHECK(accepted({"worker", "info", "w1", "--ws-url", "ws://h:2"}));
}

TEST_CASE("everything after -- is the worker's command", "[command line]")
{
    CHECK(accepted({"worker", "run", "--capabilities", "a,b", "--", "sh", "-c", "exit 0", "--json"}));
    CHECK(accepted(
        {"worker", "run", "--capabilities", "a", "--id", "w", "--max-tasks", "2", "--", "sh", "task", "ls"}));
    CHECK(complaint({"worker", "run", "--capabilities", "a", "--", "no-such-program-here"}).find("PATH") !=
          std::string::npos);
    CHECK(complaint({"worker", "run", "--capabilities", ",", "--", "sh"}).find("--capabilities") !=
          std::string::npos);
}

TEST_CASE("wrong usage is one line that names what is wrong", "[command line]")
{
    CHECK(complaint({}).find("required") != std::string::npos);
    CHECK(complaint({"frobnicate"}).find("frobnicate") != std::string::npos);
    CHECK(complaint({"task", "ls", "--limti", "3"}).find("--limti") != std::string::npos);
    CHECK(complaint({"task", "ls", "--limit", "0"}).find("--limit") != std::string::npos);
    CHECK(complaint({"task", "info"}).find("ID") != std::string::npos);
    CHECK(complaint({"task", "assign", "t", "--data", "{\"a\":}"}).find("--data") != std::string::npos);
    CHECK(complaint({"task", "fail", "t", "--message", "m", "--error", "{}"}).find("--error") !=
          std::string::npos);
    CHECK(complaint({"watch", "*", "--since", "yesterday"}).find("--since") != std::string::npos);
    CHECK(complaint({"--url", "https://h:1", "state"}).find("--url") != std::string::npos);
    CHECK(complaint({"--token-file", "/none/such", "state"}).find("--token-file") != std::string::npos);
}
