// tests/support reports through Catch2, which needs its implementation somewhere.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
