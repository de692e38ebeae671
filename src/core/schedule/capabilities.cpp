#include "core/schedule/capabilities.hpp"

#include <algorithm>
#include <functional>

namespace coordination {
namespace {

std::uint64_t signature_of(const std::vector<std::string>& names) noexcept
{
    std::uint64_t bits = 0;
    for (const auto& name : names)
        bits |= std::uint64_t{1} << (std::hash<std::string>{}(name) % 64U);
    return bits;
}

/// Unambiguous: each name is preceded by its length.
std::string key_of(const std::vector<std::string>& sorted)
{
    std::string key;
    for (const auto& name : sorted)
        key.append(std::to_string(name.size())).append(":").append(name);
    return key;
}

} // namespace

CapabilitySet::CapabilitySet(std::vector<std::string> sorted, RunningGroups groups)
    : names_(std::move(sorted)),
      groups_(std::move(groups)),
      signature_(signature_of(names_))
{
}

bool CapabilitySet::includes(const CapabilitySet& other) const noexcept
{
    if ((other.signature_ & ~signature_) != 0)
        return false;
    return std::ranges::includes(names_, other.names_);
}

bool CapabilitySet::contains(std::string_view name) const noexcept
{
    return std::ranges::binary_search(names_, name);
}

Capabilities CapabilityInterner::intern(std::vector<std::string> names, RunningGroups groups)
{
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    auto key = key_of(names);
    for (const auto& group : groups) // no name follows: a blank can stand for "and counts in"
        key.append(" ").append(std::to_string(group->name.size())).append(":").append(group->name);
    auto& slot = (*table_)[key];
    if (auto known = slot.lock())
        return known;
    auto forget = [table = std::weak_ptr(table_), key](const CapabilitySet* set) {
        delete set;
        const auto alive = table.lock();
        if (!alive)
            return;
        const auto entry = alive->find(key);
        if (entry != alive->end() && entry->second.expired()) // not one that was interned anew since
            alive->erase(entry);
    };
    Capabilities set(new CapabilitySet(std::move(names), std::move(groups)), std::move(forget));
    slot = set;
    return set;
}

} // namespace coordination
