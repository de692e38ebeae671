#pragma once

#include "core/store/change.hpp"
#include "net/outbox.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace coordination {

/// Of the changes that a subscriber did not take in time: the newest of each key, a deletion being as good as
/// any. Who applies them ends in the same state as one who had seen them all.
///
/// Bounds   Bytes, with what keeping an entry costs, and so its keys too.
class CoalescedChanges {
public:
    explicit CoalescedChanges(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

    enum class Put {
        added,
        merged, ///< it replaced an older change of its key
        full,   ///< beyond the bound: what is kept is of no use any more
    };
    /// Revisions rise from call to call.
    Put put(Collection collection, std::string_view key, Revision revision, Frame frame);

    /// What to tell the subscriber: the revisions of the first and the last change that were put, how many
    /// there were, and how many are kept.
    struct Gap {
        Revision from = 0;
        Revision to = 0;
        std::uint64_t changes = 0;
        std::uint64_t kept = 0;
    };
    Gap gap() const noexcept;

    /// What is kept, in the order of the revisions. It is empty afterwards.
    std::vector<Frame> take();

private:
    static constexpr std::size_t entry_bytes = 128; ///< of the table, about

    struct Entry {
        Revision revision;
        Frame frame;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept
        {
            return std::hash<std::string_view>{}(key);
        }
    };
    using Table = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    Revision from_ = 0;
    Revision to_ = 0;
    std::uint64_t changes_ = 0;
    std::array<Table, collection_count> newest_;
};

} // namespace coordination
