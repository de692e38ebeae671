#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "net/client/assigned_task.hpp"
#include "net/client/lease.hpp"

namespace coordination::net_client {

/// A task that this worker holds, as far as it knows.
struct HeldTask {
    Lease lease;
    AssignedTask task;
    std::stop_source stop;
    std::optional<boost::json::value> progress = std::nullopt; ///< the last that was reported
    bool cancel_asked = false;                        ///< the daemon waits to hear that the work has stopped
    std::optional<std::string> ending = std::nullopt; ///< the body of it, on its way until it is confirmed
};

/// An attempt that is over.
struct PastTask {
    Lease lease;
    std::optional<std::string> ending; ///< as it was sent; none: the lease was lost
};

/// Which tasks this worker holds, and which it held lately. Knows no socket and no handler.
///
/// Bounds   As many held ones as the daemon gives; `past_count_max` past ones with endings of
///          `past_bytes_max` bytes, the oldest are forgotten.
class TaskBook {
public:
    TaskBook(std::size_t past_count_max, std::size_t past_bytes_max)
        : past_count_max_(past_count_max),
          past_bytes_max_(past_bytes_max)
    {
    }

    HeldTask* find(const std::string& id);
    HeldTask* find(const Lease& lease);  ///< that very attempt
    HeldTask* find(const TaskRef& task); ///< likewise, where it names one

    /// The latest attempt of it that is over and remembered, if it is the one that is meant.
    const PastTask* find_past(const TaskRef& task) const;

    HeldTask& hold(const Lease& lease, const boost::json::object& task);
    /// It is over: ended as `ending` says, or lost without.
    void end(const Lease& lease, std::optional<std::string> ending);

    /// What is held and not yet reported that the daemon does not count as ours.
    std::vector<Lease> not_among(const boost::json::array& held) const;

    const std::map<std::string, HeldTask>& held() const { return held_; }

private:
    void forget(const std::string& id);

    std::size_t past_count_max_;
    std::size_t past_bytes_max_;
    std::size_t past_bytes_ = 0;
    std::map<std::string, HeldTask> held_;
    std::map<std::string, PastTask> past_;
    std::deque<std::string> past_order_; ///< oldest first
};

} // namespace coordination::net_client
