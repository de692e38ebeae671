#pragma once

#include "support/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace coordination::torture {

using testing::Json;
using Revision = std::int64_t;

/// The daemon's state as a client can see it, at one revision.
struct State {
    Revision revision = 0;
    std::map<std::string, Json, std::less<>> tasks;
    std::map<std::string, Json, std::less<>> workers;
    std::map<std::string, std::string, std::less<>> assignments; ///< task to worker

    static State from(const Json& state); ///< what GET /api/state answers

    /// A `change` out of a state_change.
    void apply(const Json& change);
};

bool is_terminal(std::string_view status);
bool is_held(std::string_view status);

/// Empty where there is none.
std::string text_or_none(const Json& object, std::string_view name);
std::int64_t number_or_zero(const Json& object, std::string_view name);

/// The token that ended the task; empty where it has not ended, or not by a call.
std::string ending_token(const Json& task);

/// What of a worker does not change with time alone or a connection.
Json lasting_part(const Json& worker);

} // namespace coordination::torture
