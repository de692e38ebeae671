#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace coordination::testing {

/// Ends the process where something does not hold, so that a fuzzer keeps the input.
inline void expect(bool holds, std::string_view what)
{
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

} // namespace coordination::testing
