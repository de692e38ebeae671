#include "net/http/access.hpp"

#include <catch2/catch.hpp>

namespace coordination {
namespace {

DaemonOptions bound_to(std::string host)
{
    DaemonOptions options;
    options.host = std::move(host);
    return options;
}

Access on_loopback()
{
    return {bound_to("127.0.0.1"), 9500, 9501};
}

/// What admit() answers: "" where it admits.
std::string verdict(const Access& access, const Access::Credentials& credentials)
{
    const auto admitted = access.admit(credentials);
    return admitted ? "" : admitted.error().message;
}

bool admits_host(const Access& access, std::string_view host)
{
    return access.admit({.host = host}).has_value();
}

bool admits_origin(const Access& access, std::string_view origin)
{
    return access.admit({.host = "localhost:9500", .origin = origin}).has_value();
}

} // namespace

SCENARIO("only a Host that is ours is served", "[access]")
{
    GIVEN("a daemon on loopback")
    {
        const auto access = on_loopback();
        for (const auto* host :
             {"localhost", "LOCALHOST:9500", "127.0.0.1", "127.8.9.1:9501", "[::1]:9500", "[::1]"}) {
            INFO(host);
            CHECK(admits_host(access, host));
        }
        for (const auto* host :
             {"evil.example", "evil.example:9500", "192.168.0.7", "localhost.evil.example", "", "[::1",
              "127.0.0.1.evil.example", "[2001:db8::1]", "[::1]evil.example", "localhost:9500.evil.example",
              "::1", "localhost:99999", "127.0.0.1:9500/x"}) {
            INFO(host);
            CHECK_FALSE(admits_host(access, host));
        }
    }
    GIVEN("a daemon that other machines may call")
    {
        const Access access(bound_to("0.0.0.0"), 9500, 9501);
        CHECK(admits_host(access, "192.168.0.7:9500"));
        CHECK(admits_host(access, "[2001:db8::1]:9500"));
        CHECK_FALSE(admits_host(access, "evil.example"));
    }
    GIVEN("a daemon on a name or an IPv6 address")
    {
        CHECK(admits_host({bound_to("box.lan"), 9500, 9501}, "box.lan:9500"));
        CHECK_FALSE(admits_host({bound_to("box.lan"), 9500, 9501}, "other.lan:9500"));
        CHECK(admits_host({bound_to("::1"), 9500, 9501}, "[::1]:9500"));
        CHECK_FALSE(admits_host({bound_to("::1"), 9500, 9501}, "[2001:db8::1]:9500"));
    }
    GIVEN("a token, which a rebound name does not know")
    {
        auto options = bound_to("127.0.0.1");
        options.token = "secret";
        CHECK(Access(options, 9500, 9501)
                  .admit({.host = "anything.example", .authorization = "Bearer secret"}));
    }
}

SCENARIO("HTTP/1.1 without a Host is malformed, HTTP/1.0 is not", "[access]")
{
    const auto access = on_loopback();
    const auto refused = access.admit({});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::missing_field);
    CHECK(access.admit({.host_required = false}));
}

SCENARIO("a foreign Origin is refused unless it is allowed", "[access]")
{
    auto options = bound_to("127.0.0.1");
    options.allow_origins = {"https://dash.example"};
    const Access access(options, 9500, 9501);
    for (const auto* origin : {"http://localhost:9500", "http://localhost:9501", "http://127.0.0.1:9500",
                               "HTTPS://dash.example"}) {
        INFO(origin);
        CHECK(admits_origin(access, origin));
    }
    for (const auto* origin :
         {"null", "", "http://localhost:8080", "http://evil.example", "http://evil.example:9500",
          "https://dash.example.evil", "http://localhost", "http://localhost:9500.evil.example",
          "http://127.0.0.1:9500/x", "http://[::1]evil.example:9500", "http://[::1:9500"}) {
        INFO(origin);
        CHECK_FALSE(admits_origin(access, origin));
    }
    CHECK(access.is_allowed_origin("https://dash.example"));
    CHECK_FALSE(access.is_allowed_origin("http://localhost:9500"));
}

SCENARIO("one of our two ports may call the other at the same address, and at no other", "[access]")
{
    const Access access(bound_to("0.0.0.0"), 9500, 9501);
    const auto admits = [&](std::string_view host, std::string_view origin) {
        return access.admit({.host = host, .origin = origin}).has_value();
    };
    CHECK(admits("192.168.0.7:9501", "http://192.168.0.7:9500"));
    CHECK(admits("[2001:db8::1]:9501", "http://[2001:db8::1]:9500"));
    CHECK(admits("[::1]:9501", "http://localhost:9500"));
    CHECK_FALSE(admits("192.168.0.7:9501", "http://192.168.0.66:9500")); // a neighbour's daemon, or page
    CHECK_FALSE(admits("192.168.0.7:9501", "http://192.168.0.7:8080"));
    CHECK_FALSE(admits("192.168.0.7:9501", "http://localhost:9500"));
    CHECK_FALSE(access.admit({.origin = "http://localhost:9500", .host_required = false}));
}

SCENARIO("the token must be borne whole", "[access]")
{
    auto options = bound_to("127.0.0.1");
    options.token = "secret";
    const Access access(options, 9500, 9501);
    const auto bears = [&](std::optional<std::string_view> authorization) {
        return access.admit({.host = "localhost", .authorization = authorization}).has_value();
    };
    CHECK(bears("Bearer secret"));
    CHECK(bears("bearer secret"));
    for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer secre", "Bearer secrett",
                              "Bearer secretsecret", "Bearer Secret", "Basic secret", "secret"}) {
        INFO(wrong);
        CHECK_FALSE(bears(wrong));
    }
    CHECK_FALSE(bears(std::nullopt));
    CHECK(verdict(access, {.host = "localhost", .token_required = false}).empty());
}

} // namespace coordination
