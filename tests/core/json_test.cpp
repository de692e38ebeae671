#include "core/json/slice.hpp"
#include "core/json/write.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace coordination;

namespace {

std::vector<std::string> members_of(std::string_view object)
{
    std::vector<std::string> found;
    json::Members members(object);
    while (const auto member = members.next())
        found.push_back(std::string(member->key) + "=" + std::string(member->value));
    return found;
}

std::vector<std::string> elements_of(std::string_view array)
{
    std::vector<std::string> found;
    json::Elements elements(array);
    while (const auto element = elements.next())
        found.emplace_back(*element);
    return found;
}

} // namespace

TEST_CASE("exactly one JSON value is valid", "[json]")
{
    for (const auto* good :
         {"{}", " [1, 2.5e-3, true, null, \"\\u00e9\"] \n", "\"\xC3\xA9\"", "-0", "{\"a\":{\"a\":[]}}"}) {
        INFO(good);
        CHECK(json::validate(good, 8));
    }
    for (const auto* bad : {"",       "   ",        "{",       "{}}",     "{} {}",       "{\"a\":}",
                            "[1,]",   "{\"a\":1,}", "01",      "+1",      ".5",          "1.",
                            "nul",    "'a'",        "\"a",     "\"\\x\"", "\"\xFF\"",    "\"\xC3\"",
                            "\"\n\"", "{a:1}",      "// c\n1", "NaN",     "\"\\ud800\"", "\xEF\xBB\xBF{}"}) {
        INFO(bad);
        CHECK_FALSE(json::validate(bad, 8));
    }
}

TEST_CASE("where a text stops being JSON is told", "[json]")
{
    const auto checked = json::validate(R"({"a":1} x)", 8);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().offset == 8);
}

TEST_CASE("a value nested deeper than the limit is refused, however deep", "[json]")
{
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(json::validate(nested(8), 8));
    CHECK_FALSE(json::validate(nested(9), 8));
    CHECK_FALSE(json::validate(nested(1'000'000), 64));
    CHECK(json::validate(nested(1024), 1024));
}

TEST_CASE("an object is walked in order, white space, escapes and braces in strings notwithstanding",
          "[json]")
{
    CHECK(members_of("{}").empty());
    CHECK(members_of(" { \n } ").empty());
    CHECK(members_of(R"({"a":1})") == std::vector<std::string>{"a=1"});
    CHECK(members_of(R"( { "a" : 1 , "b":"x,}\"]" ,"c": {"d":[1,{"e":"}"}]} , "a":null } )") ==
          std::vector<std::string>{"a=1", R"(b="x,}\"]")", R"(c={"d":[1,{"e":"}"}]})", "a=null"});
    CHECK(members_of(R"({"a\"b":"\\","c":true})") == std::vector<std::string>{R"(a\"b="\\")", "c=true"});
}

TEST_CASE("a member tells its key, its value, and both as they were written", "[json]")
{
    json::Members members(R"({ "\u0061" :  [ 1 ] })");
    const auto member = members.next();
    REQUIRE(member);
    CHECK(member->named("a"));
    CHECK_FALSE(member->named("b"));
    CHECK(member->whole == R"("\u0061" :  [ 1 ])");
}

TEST_CASE("an array is walked in order", "[json]")
{
    CHECK(elements_of("[]").empty());
    CHECK(elements_of("[ ]").empty());
    CHECK(elements_of(R"([1, "a,]" ,[2,[3]],{"b":[]} , null])") ==
          std::vector<std::string>{"1", R"("a,]")", "[2,[3]]", R"({"b":[]})", "null"});
}

TEST_CASE("a kind is told by the first character", "[json]")
{
    CHECK(json::kind_of("{}") == json::Kind::object);
    CHECK(json::kind_of("[]") == json::Kind::array);
    CHECK(json::kind_of(R"("")") == json::Kind::string);
    CHECK(json::kind_of("-1") == json::Kind::number);
    CHECK(json::kind_of("true") == json::Kind::boolean);
    CHECK(json::kind_of("false") == json::Kind::boolean);
    CHECK(json::kind_of("null") == json::Kind::null);
}

TEST_CASE("a string that is written reads back as it was", "[json]")
{
    std::string every_control;
    for (int c = 0; c < 0x20; ++c)
        every_control += static_cast<char>(c);
    for (const auto& text : {std::string("plain"), std::string(R"(\ " / )"), every_control,
                             std::string("\xE2\x82\xAC"), std::string("\x7F"), std::string()}) {
        std::string out;
        json::append_string(out, text);
        INFO(out);
        CHECK(json::validate(out, 1));
        CHECK(out.find('\n') == std::string::npos);
        CHECK(json::unquoted(out) == text);
    }
    CHECK(json::unquoted(R"("\u20ac\ud83d\ude00")") == "\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST_CASE("numbers are told exactly or not at all", "[json]")
{
    CHECK(json::integer_in("0") == 0);
    CHECK(json::integer_in("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(json::integer_in("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK_FALSE(json::integer_in("9223372036854775808"));
    CHECK_FALSE(json::integer_in("1.5"));
    CHECK_FALSE(json::integer_in("1e3"));
    CHECK(json::double_in("1e3") == 1000.0);
    CHECK_FALSE(json::double_in("1e999"));
}

TEST_CASE("decimals have three places at most, and none that say nothing", "[json]")
{
    const auto written = [](double value) {
        std::string out;
        json::append_decimal(out, value);
        return out;
    };
    CHECK(written(0) == "0");
    CHECK(written(23.5) == "23.5");
    CHECK(written(1.0 / 3) == "0.333");
    CHECK(written(100) == "100");
    CHECK(written(std::numeric_limits<double>::infinity()) == "0");
}

TEST_CASE("an object is written by appending", "[json]")
{
    std::string out;
    json::ObjectWriter(out)
        .string("a", "x\"")
        .number("b", -1)
        .members("")
        .members(R"("c":[1],"d":null)")
        .boolean("e", false)
        .raw("f", "{}")
        .close();
    CHECK(out == R"({"a":"x\"","b":-1,"c":[1],"d":null,"e":false,"f":{}})");
    std::string empty;
    json::ObjectWriter(empty).close();
    CHECK(empty == "{}");
}

TEST_CASE("an object is amended in place, and what is new stands at its end", "[json]")
{
    CHECK(json::amended(R"({"a":1,"b":[2],"c":3})", R"({"d":4,"\u0062":{}})") ==
          R"("a":1,"\u0062":{},"c":3,"d":4)");
    CHECK(json::amended("{}", R"({"a":1})") == R"("a":1)");
    CHECK(json::amended(R"({"a":1})", "{}") == R"("a":1)");
}
