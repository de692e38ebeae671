#include "core/schedule/capabilities.hpp"

#include <catch2/catch.hpp>

using namespace coordination;

TEST_CASE("equal capability sets are one object, in whatever order and however often each was named",
          "[capabilities]")
{
    CapabilityInterner interner;
    const auto set = interner.intern({"b", "a", "b"});
    CHECK(interner.intern({"a", "b"}) == set);
    CHECK(set->names() == std::vector<std::string>{"a", "b"});
    CHECK(interner.intern({"a"}) != set);
    CHECK(interner.intern({"ab"}) != set);
    CHECK(interner.intern({}) == interner.intern({}));
}

TEST_CASE("a set that nobody holds is forgotten", "[capabilities]")
{
    CapabilityInterner interner;
    auto held = interner.intern({"a"});
    static_cast<void>(interner.intern({"b"}));
    CHECK(interner.size() == 1);
    held.reset();
    CHECK(interner.size() == 0);
    CHECK(interner.intern({"a"})->names().size() == 1);
}

TEST_CASE("a set may outlive its interner", "[capabilities]")
{
    Capabilities set;
    {
        CapabilityInterner interner;
        set = interner.intern({"a"});
    }
    CHECK(set->contains("a"));
}

TEST_CASE("a set includes another when it has each of its names", "[capabilities]")
{
    CapabilityInterner interner;
    const auto small = interner.intern({"a", "c"});
    const auto large = interner.intern({"a", "b", "c"});
    const auto none = interner.intern({});
    CHECK(large->includes(*small));
    CHECK_FALSE(small->includes(*large));
    CHECK(small->includes(*small));
    CHECK(small->includes(*none));
    CHECK_FALSE(none->includes(*small));
    CHECK(large->contains("b"));
    CHECK_FALSE(large->contains("d"));
}

TEST_CASE("two names that share the bit of the filter are still told apart", "[capabilities]")
{
    CapabilityInterner interner;
    std::vector<std::string> names;
    names.reserve(200);
    for (int i = 0; i < 200; ++i) // more than the filter has bits
        names.push_back("name-" + std::to_string(i));
    for (const auto& one : names)
        for (const auto& other : names)
            REQUIRE(interner.intern({one})->includes(*interner.intern({other})) == (one == other));
}
