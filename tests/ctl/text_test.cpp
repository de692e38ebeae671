#include "cli/ctl/text.hpp"

#include <catch2/catch.hpp>

using namespace coordination::ctl;
using namespace std::chrono_literals;

TEST_CASE("what steers a terminal is shown, not obeyed", "[text]")
{
    CHECK(printable("plain – ü 日本") == "plain – ü 日本");
    CHECK(printable("a\nb\tc\r") == "a\\nb\\tc\\r");
    CHECK(printable("\x1b[2J\x07") == "\\u001b[2J\\u0007");
    CHECK(printable("\x7f\u009b31m") == "\\u007f\\u009b31m"); // C1 is CSI in one character
    CHECK(printable("user\u202egnp.exe") == "user\\u202egnp.exe");
    CHECK(printable(std::string_view("\0", 1)) == "\\u0000");
}

TEST_CASE("bytes that are no UTF-8 are replaced", "[text]")
{
    CHECK(printable("a\xff"
                    "b") == "a\uFFFDb");
    CHECK(printable("\xc3") == "\uFFFD");
    CHECK(printable("\xc0\x8a") == "\uFFFD\uFFFD"); // a newline in two bytes
    CHECK(printable("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");
    CHECK(valid_utf8("ok\xfe\n") == "ok\uFFFD\n");
}

TEST_CASE("JSON for a terminal stays the same JSON", "[text]")
{
    CHECK(printable_json("{\n\t\"a\": \"x\\u001b\u009by\"\n}") == "{\n\t\"a\": \"x\\u001b\\u009by\"\n}");
}

TEST_CASE("width counts columns, not bytes", "[text]")
{
    CHECK(display_width("abc") == 3);
    CHECK(display_width("üäö") == 3);
    CHECK(display_width("日本") == 4);
    CHECK(display_width("e\u0301") == 1);
    CHECK(shortened("abcdef", 4) == "abc…");
    CHECK(shortened("abcd", 4) == "abcd");
    CHECK(shortened("日本語", 5) == "日本…");
    CHECK(shortened("日本語", 4) == "日…");
    CHECK(shortened("abc", 0).empty());
}

TEST_CASE("ages and durations are in the two largest units", "[text]")
{
    CHECK(duration_text(999ms) == "0s");
    CHECK(duration_text(59s) == "59s");
    CHECK(duration_text(61s) == "1m 1s");
    CHECK(duration_text(3h + 59min + 59s) == "3h 59m");
    CHECK(duration_text(49h) == "2d 1h");
    CHECK(age_text(10'000, 13'500) == "3s ago");
    CHECK(age_text(0, 13'500) == "-");
    CHECK(age_text(20'000, 13'500) == "0s ago"); // the daemon's clock is ahead
}

TEST_CASE("large numbers are grouped", "[text]")
{
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1'000) == "1,000");
    CHECK(grouped(1'234'567) == "1,234,567");
    CHECK(grouped(-123'456) == "-123,456");
    CHECK(grouped(-1'234) == "-1,234");
}
