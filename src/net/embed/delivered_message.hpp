#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <string>

namespace coordination {

/// A message of the bus, for the program that the daemon lives in.
struct DeliveredMessage {
    std::string message_id;
    std::string topic;
    std::string payload;       ///< JSON, as it was published
    std::string sender;        ///< empty: not told
    std::string priority;      ///< as its publisher wrote it: "high" or "1"
    std::string guarantee;     ///< "at-least-once", …
    std::uint32_t attempt = 1; ///< above 1: it may have come before
    Timestamp published_at{};
    /// Before it some were lost: so much waited for the handler that its subscription ended and began anew.
    bool after_gap = false;
};

} // namespace coordination
