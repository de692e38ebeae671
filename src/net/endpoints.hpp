#pragma once

#include <string>

namespace coordination {

/// Where a daemon listens, as "HOST:PORT" with the ports that were really taken.
struct Endpoints {
    std::string http;
    std::string ws;
};

} // namespace coordination
