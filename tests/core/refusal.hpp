#pragma once

#include "core/random_calls.hpp"

#include <catch2/catch.hpp>

namespace coordination::testing {

inline ErrorCode code_of(const Result& result)
{
    REQUIRE_FALSE(result);
    return result.error().code;
}

/// That a call was refused with that code, and changed nothing.
void check_refused(Fleet& fleet, ErrorCode code, const auto& call)
{
    const auto before = dump(fleet.engine.store());
    CHECK(code_of(call()) == code);
    CHECK(dump(fleet.engine.store()) == before);
}

inline Limits limits_of(std::uint32_t tasks_per_worker_max)
{
    Limits limits;
    limits.tasks_per_worker_max = tasks_per_worker_max;
    return limits;
}

} // namespace coordination::testing
