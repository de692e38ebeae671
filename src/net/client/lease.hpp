#pragma once

#include <cstdint>
#include <string>

#include <boost/json/object.hpp>

#include "net/client/json_fields.hpp"

namespace coordination::net_client {

/// One worker's hold on one task, as far as the daemon told.
struct Lease {
    std::string task_id;
    std::int64_t attempt = 0;
    std::int64_t fence = 0;

    /// The same assignment told twice. A daemon that lost its latest state may tell it with another fence.
    bool same_attempt(const Lease& other) const
    {
        return task_id == other.task_id && attempt == other.attempt;
    }
};

inline Lease lease_of(const boost::json::object& task)
{
    return {.task_id = string_or(task, "id", ""),
            .attempt = integer_or(task, "attempt", 0),
            .fence = integer_or(task, "fence", 0)};
}

} // namespace coordination::net_client
