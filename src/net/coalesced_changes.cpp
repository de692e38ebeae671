#include "net/coalesced_changes.hpp"

#include <algorithm>
#include <utility>

namespace coordination {

CoalescedChanges::Put CoalescedChanges::put(Collection collection, std::string_view key, Revision revision,
                                            Frame frame)
{
    if (changes_++ == 0)
        from_ = revision;
    to_ = revision;
    bytes_ += frame->size();
    auto& table = newest_[static_cast<std::size_t>(collection)];
    const auto known = table.find(key);
    const bool merges = known != table.end();
    if (merges) {
        bytes_ -= known->second.frame->size();
        known->second = {revision, std::move(frame)};
    } else {
        bytes_ += key.size() + entry_bytes;
        table.emplace(key, Entry{revision, std::move(frame)});
    }
    if (bytes_ > bytes_max_ && gap().kept > 1) // like a frame in an outbox, one always fits
        return Put::full;
    return merges ? Put::merged : Put::added;
}

CoalescedChanges::Gap CoalescedChanges::gap() const noexcept
{
    Gap gap{.from = from_, .to = to_, .changes = changes_, .kept = 0};
    for (const auto& table : newest_)
        gap.kept += table.size();
    return gap;
}

std::vector<Frame> CoalescedChanges::take()
{
    std::vector<Entry> entries;
    entries.reserve(gap().kept);
    for (auto& table : newest_) {
        for (auto& [key, entry] : table)
            entries.push_back(std::move(entry));
        table.clear();
    }
    std::ranges::sort(entries, {}, &Entry::revision);
    std::vector<Frame> frames;
    frames.reserve(entries.size());
    for (auto& entry : entries)
        frames.push_back(std::move(entry.frame));
    bytes_ = 0;
    changes_ = 0;
    return frames;
}

} // namespace coordination
