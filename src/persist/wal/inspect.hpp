#pragma once

#include "persist/wal/read_state.hpp"
#include "persist/wal/record_walk.hpp"

#include <functional>
#include <string>

namespace coordination {

/// One thing that is seen when a state on the disk is looked through.
struct Sight {
    enum class Kind {
        snapshot,
        segment, ///< its header
        record,
        void_rest, ///< what the next segment has taken the place of
        torn,      ///< a tail that the next start cuts off
        damage,
    };
    Kind kind = Kind::record;
    std::string file;
    std::size_t offset = 0;
    std::size_t bytes = 0; ///< 0: not known
    Revision first = 0;    ///< of what is told; 0: nothing is
    Revision last = 0;
    std::string_view payload{}; ///< of a record; good until the next sight
    std::string what{};         ///< for people
};

/// What a daemon would find.
struct Inspection {
    std::string fault; ///< why it would not start, in one line; empty: it would
    Revision revision = 0;
    std::size_t workers = 0;
    std::size_t tasks = 0;
};

/// Looks through a state: whether a daemon would start on it, and each segment for itself, record by record,
/// also behind what is damaged. Changes nothing, but for a snapshot left half written, which is removed.
Inspection inspect_state(Disk& disk, const StatePaths& paths, const Limits& limits,
                         const std::function<void(const Sight&)>& see);

/// What a repair came to.
struct Repair {
    bool needed = false;
    Revision revision = 0;          ///< of the state that is left
    std::vector<std::string> notes; ///< what was done, each a line
};

/// Cuts the log off at its first damage, so that a daemon starts with what is before it; a damaged segment
/// that the snapshot makes superfluous is taken out alone. Whatever is cut off is copied aside first.
/// Revisions go on well above those that are lost.
///
/// Errors  One line. A snapshot cannot be mended so.
tl::expected<Repair, std::string> repair_state(Disk& disk, const StatePaths& paths, const Limits& limits);

} // namespace coordination
