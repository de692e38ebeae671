#pragma once

#include "core/limits.hpp"
#include "core/store/state_store.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coordination {

/// One reason why a task is not running, or that it is.
struct Reason {
    enum class Kind : std::uint8_t {
        ended,           ///< nothing will happen to it
        held,            ///< a worker has it
        waits_for_time,  ///< until `at`
        waits_for_tasks, ///< for `names`
        no_such_worker,  ///< none has all that it asks for: nobody at all has `names`
        nobody_present,  ///< those that have are offline or draining: `count`
        all_full,        ///< those that are there, `count`, hold as much as they may
        running_limit,   ///< no more of the group `names` may be held
        behind,          ///< `count` others go first
        can_go,          ///< the next step hands it out
        to_be_fetched,   ///< only workers that fetch their work, `count`, could take it
    };
    Kind kind;
    std::string text; ///< a sentence for people
    std::vector<std::string> names{};
    std::size_t count = 0;
    Timestamp at{};
};
std::string_view name_of(Reason::Kind) noexcept;

/// Why a task is where it is, all reasons that hold at this revision, from the schedule's own answers: when
/// none of them holds any more the task is handed out by the next Engine::settle().
std::vector<Reason> explain(const StateStore& store, const Task& task, Timestamp now);

} // namespace coordination
