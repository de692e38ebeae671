#include "net/http/target.hpp"

#include <catch2/catch.hpp>

namespace coordination {

using Path = std::vector<std::string>;

TEST_CASE("a target is taken apart before it is decoded", "[target]")
{
    const auto target = parse_target("/api/tasks/a%2Fb%20c+d?status=pending&capability=a%26b+c&limit=&flag");
    REQUIRE(target);
    CHECK(target->path == Path{"api", "tasks", "a/b c+d"});
    CHECK(target->query_value("status") == "pending");
    CHECK(target->query_value("capability") == "a&b c");
    CHECK(target->query_value("limit").empty());
    CHECK(target->query_value("flag").empty());
    CHECK(target->query_value("cursor").empty());
}

TEST_CASE("a trailing slash, an absolute form and a fragment change nothing", "[target]")
{
    for (const auto* text :
         {"/api/tasks", "/api/tasks/", "http://localhost:9500/api/tasks", "/api/tasks#x"}) {
        INFO(text);
        const auto target = parse_target(text);
        REQUIRE(target);
        CHECK(target->path == Path{"api", "tasks"});
        CHECK(target->query.empty());
    }
    CHECK(parse_target("/")->path.empty());
    CHECK(parse_target("/?a=b")->query_value("a") == "b");
}

TEST_CASE("a broken escape or a path that is none is refused", "[target]")
{
    for (const auto* text : {"", "api", "*", "/%", "/%4", "/%zz", "/a%4", "/a?b=%", "/a?%=b", "/%+1"}) {
        INFO(text);
        CHECK_FALSE(parse_target(text));
    }
}

} // namespace coordination
