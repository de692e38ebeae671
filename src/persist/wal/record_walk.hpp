#pragma once

#include "persist/wal/segment_format.hpp"

#include <tl/expected.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace coordination {

/// Where a walk over the records of one segment came to an end.
struct WalkEnd {
    enum class Kind {
        complete, ///< at the end of the text
        limit,    ///< what follows is void, whatever it is
        bad,      ///< what follows is no whole record
        wrong,    ///< what follows is a whole record that cannot be
    };
    Kind kind = Kind::complete;
    std::size_t offset = 0;
    Revision revision = 0; ///< all up to here was handed out
    std::string what{};    ///< where it is bad or wrong, in a few words
};

/// Hands the records of a segment, whose text is `bytes`, to `use` until one is refused (with a few words on
/// what is wrong with it). Checks that they follow each other from where the header starts to exactly
/// `limit`, where there is one.
WalkEnd walk_records(std::string_view bytes, const SegmentHeader& header, std::optional<Revision> limit,
                     const std::function<tl::expected<void, std::string>(const Record&)>& use);

/// Whether what a walk found bad had been synced, as later records show: then it is no torn tail, but damage.
bool was_synced(std::string_view bytes, const WalkEnd& bad);

/// The records of a segment, whose text is `bytes`, that nothing shows to have been synced.
struct UnsyncedRecords {
    Revision behind = 0; ///< what is up to here was
    std::string_view records{};
};

/// Among those that a walk has found good, up to its end.
UnsyncedRecords unsynced_records(std::string_view bytes, const SegmentHeader& header, const WalkEnd& end);

} // namespace coordination
