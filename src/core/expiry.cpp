#include "core/commands/lease.hpp"
#include "core/engine.hpp"

#include <algorithm>
#include <utility>

namespace coordination {
namespace {

/// How many workers may lose their leases in one call: after a restart those of a whole fleet run out at
/// once, and other calls must not wait for all of them.
constexpr int workers_a_turn = 32;

} // namespace

std::optional<Timestamp> Engine::next_deadline() const noexcept
{
    if (read_only_)
        return std::nullopt;
    if (!unresolved_.empty())
        return Timestamp{}; // a slice was left over
    std::optional<Timestamp> next;
    for (const auto due :
         {lease_clock_.next(), store_.indexes().next_due(), store_.indexes().next_to_forget(limits_)})
        if (due && (!next || *due < *next))
            next = due;
    if (const auto done = store_.message_indexes().oldest_done();
        done && (!next || done->first + limits_.bus.dedup_window < *next))
        next = done->first + limits_.bus.dedup_window;
    return next;
}

void Engine::expire(Timestamp now, Effects& effects)
{
    if (read_only_)
        return;
    end_silent_leases(now, effects);
    pass_due(now, effects);
    const auto& indexes = store_.indexes();
    while (const auto ordinal = indexes.due_worker(now)) {
        const WorkerId id = store_.workers().at_ordinal(*ordinal)->id;
        for (const auto& held : store_.tasks_of(id.view()))
            stops_.push_back({held, id, "the worker's drain has come to its deadline"});
        transact(now, effects, [&](Transaction& tx) { end_drain(tx, id); });
    }
    tell_stops(now, effects);
    forget_ended(now, effects, forgotten_max);
    forget_done(now, effects, forgotten_max);
}

/// For the tasks whose times have come. Their holders hear that they must stop before anything that they are
/// given in their place: it may be the same task.
void Engine::pass_due(Timestamp now, Effects& effects)
{
    auto other_stops = std::exchange(stops_, {});
    const auto& indexes = store_.indexes();
    for (int n = 0; n < due_max && indexes.due_task(now); ++n) {
        const Task task = *store_.tasks().at_ordinal(*indexes.due_task(now));
        const bool must_stop = is_held(task.status) && !task.cancel_requested();
        transact(now, effects, [&](Transaction& tx) { pass_time(tx, task); });
        if (must_stop)
            stops_.push_back({task.id, task.assigned_to, "the attempt took too long"});
    }
    tell_stops(now, effects);
    stops_ = std::move(other_stops);
}

void Engine::end_silent_leases(Timestamp now, Effects& effects)
{
    for (int turn = 0; turn < workers_a_turn; ++turn) {
        const auto ordinal = lease_clock_.pop_due(now);
        if (!ordinal)
            return;
        const Worker* worker = store_.workers().at_ordinal(*ordinal);
        if (!worker || (!worker->online && worker->active_tasks == 0))
            continue;
        if (worker->last_seen + limits_.heartbeat_timeout > now) {
            lease_clock_.watch(*ordinal, worker->last_seen);
            continue;
        }
        const WorkerId id = worker->id;
        transact(now, effects, [&](Transaction& tx) { time_out(tx, id); });
    }
}

} // namespace coordination
