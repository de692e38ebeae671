#pragma once

#include "core/store/records.hpp"

#include <cstdint>
#include <string_view>

namespace coordination {

/// A snapshot file is one JSON object in the shape of the original daemon's, so that jq reads it and the
/// original loads it; what only we know is in members that the original ignores. Its lines are fixed, so that
/// it is written and read in pieces:
///
///     {"format":"coordination-snapshot","version":2,"revision":R,"savedAt":MS,
///     "workers":{
///     "w1":{…,"_":{…}},           a row a line, oldest first: the text of the wire,
///     "w2":{…,"_":{…}}            and in `_` what that does not show
///     },
///     "tasks":{
///     "t1":{"id":"t1",PAYLOAD,"status":…,"_":{…}}
///     },
///     "messages":{                those of the bus; since version 2
///     "m1":{"id":"m1","state":"live",…,"_":{…}}
///     },
///     "assignments":{             task to worker; follows from the tasks
///     "t1":"w1"
///     },
///     "workerTasks":{             likewise
///     "w1":["t1"]
///     },
///     "metadata":{…},             totals
///     "timestamps":{},
///     "checksum":"xxh3:…"}        over all bytes before this line
///
/// Upgrades  The first three members of the first line stay what they are in every version.
namespace snapshot_format {

inline constexpr std::string_view name = "coordination-snapshot";
inline constexpr std::int64_t version = 2;
inline constexpr std::int64_t version_with_messages = 2;
/// What each of our files begins with, and no other does.
inline constexpr std::string_view signature = R"({"format":)";

inline constexpr std::string_view workers = R"("workers":{)";
inline constexpr std::string_view tasks = R"("tasks":{)";
inline constexpr std::string_view messages = R"("messages":{)";
inline constexpr std::string_view assignments = R"("assignments":{)";
inline constexpr std::string_view worker_tasks = R"("workerTasks":{)";
inline constexpr std::string_view metadata = R"("metadata":)";
inline constexpr std::string_view timestamps = R"("timestamps":{},)";
inline constexpr std::string_view end_of_rows = "},";

} // namespace snapshot_format

/// What a snapshot tells of itself.
struct SnapshotHeader {
    Revision revision = 0;
    Timestamp saved_at{};
    Totals totals{};
};

} // namespace coordination
