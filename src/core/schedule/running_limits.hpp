#pragma once

#include "core/limits.hpp"
#include "core/schedule/capabilities.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace coordination {

/// Which groups of limited size a task counts in: one for each limited capability that it asks for, and one
/// for the value that it has in each limited field.
///
/// Ownership  A group lives as long as a task's requirements name it; one that is held keeps it, so that
///            what it counts is never forgotten.
/// Threads    One.
class RunningLimits {
public:
    explicit RunningLimits(std::vector<RunningLimit> limits) : limits_(std::move(limits)) {}

    /// `payload`: the task's data as JSON members.
    RunningGroups groups_of(const std::vector<std::string>& names, std::string_view payload);

private:
    std::shared_ptr<RunningGroup> group(std::string name, std::uint32_t most);

    std::vector<RunningLimit> limits_;
    std::unordered_map<std::string, std::weak_ptr<RunningGroup>> groups_;
    std::size_t sweep_at_ = 1024; ///< groups at which those that nobody names any more are dropped
};

} // namespace coordination
