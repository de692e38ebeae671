#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace coordination {

/// Tasks of which only so many may be held at once, whichever workers hold them.
struct RunningGroup {
    std::string name; ///< for people: `capability gpu`, `repo "cortex"`
    std::uint32_t most = 0;
    std::uint32_t running = 0; ///< follows from the rows: see Schedule

    bool full() const noexcept { return running >= most; }
};
using RunningGroups = std::vector<std::shared_ptr<RunningGroup>>;

/// A set of capability names, sorted, without repeats. Interned: two equal sets are one object, so comparing
/// them is comparing pointers, and work that depends only on the set (which workers can take which tasks) is
/// done once a set instead of once a task.
class CapabilitySet {
public:
    explicit CapabilitySet(std::vector<std::string> sorted, RunningGroups groups = {});

    const std::vector<std::string>& names() const noexcept { return names_; }
    /// Whether every name of `other` is here.
    bool includes(const CapabilitySet& other) const noexcept;
    bool contains(std::string_view name) const noexcept;
    /// Of a task's requirements: the groups that it counts in.
    const RunningGroups& groups() const noexcept { return groups_; }

private:
    std::vector<std::string> names_;
    RunningGroups groups_;
    std::uint64_t signature_; ///< a Bloom filter of one word: most "no" answers take one AND
};

using Capabilities = std::shared_ptr<const CapabilitySet>;

/// Hands out the one object per set. A set that nobody holds any more is forgotten.
///
/// Ownership  Must outlive no set: a set keeps what it needs to leave the table.
/// Threads    One.
class CapabilityInterner {
public:
    /// In any order, repeats allowed.
    Capabilities intern(std::vector<std::string> names, RunningGroups groups = {});
    std::size_t size() const noexcept { return table_->size(); }

private:
    using Table = std::unordered_map<std::string, std::weak_ptr<const CapabilitySet>>;
    std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

} // namespace coordination
