#include "persist/wal/rig.hpp"

#include "persist/snapshot/snapshot_writer.hpp"
#include "persist/wal/recover.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace coordination::testing {

WalOptions small_log()
{
    WalOptions options;
    options.paths = state_paths;
    options.snapshot_after = 16 * 1024;
    options.segment_bytes = 4 * 1024;
    options.reserve_bytes = 2 * 1024;
    options.retry_after = std::chrono::milliseconds(1);
    return options;
}

std::function<void()> Moves::listener()
{
    return [this] {
        const std::lock_guard lock(mutex_);
        moved_.notify_all();
    };
}

JournalProgress Moves::await(const Journal& journal,
                             const std::function<bool(const JournalProgress&)>& come_about)
{
    std::unique_lock lock(mutex_);
    JournalProgress progress;
    const bool came = moved_.wait_for(lock, std::chrono::seconds(30), [&] {
        progress = journal.progress();
        return come_about(progress);
    });
    if (!came)
        throw std::runtime_error("the journal does not come that far: reached " +
                                 std::to_string(progress.reached) + ", synced " +
                                 std::to_string(progress.synced) + ", failure '" + progress.failure + "'");
    return progress;
}

Rig::Rig(std::uint64_t seed) : calls(seed)
{
    states_[0] = dump(calls.store());
}

std::vector<Change> Rig::step(Journal* journal)
{
    auto& effects = calls.fleet.effects;
    Step step{};
    effects.undo = &step.undo;
    effects.clear();
    while (effects.changes.empty())
        calls.step();
    effects.undo = nullptr;
    step.last = revision();
    history_.push_back(std::move(step));
    states_[revision()] = dump(calls.store());
    if (journal) {
        journal->append(effects.changes);
        journal->hand_over();
    }
    return effects.changes;
}

bool Rig::step_and_wait(Journal& journal, Moves& moves)
{
    step(&journal);
    return settle(journal, moves);
}

bool Rig::settle(Journal& journal, Moves& moves)
{
    const auto wanted = revision();
    const auto progress = moves.await(journal, [&](const JournalProgress& come) {
        return come.reached >= wanted || !come.failure.empty();
    });
    if (progress.failure.empty())
        return true;
    take_back_to(progress.reached);
    journal.rewind();
    return false;
}

void Rig::take_back_to(Revision revision)
{
    while (!history_.empty() && history_.back().last > revision) {
        calls.fleet.engine.revert(std::move(history_.back().undo));
        history_.pop_back();
    }
    calls.store().continue_from(revision);
    taken_back_.insert(states_.upper_bound(revision), states_.end());
    states_.erase(states_.upper_bound(revision), states_.end()); // those revisions will be others'
}

void Rig::jump_to(Revision revision)
{
    calls.store().continue_from(revision);
    states_[revision] = dump(calls.store());
}

std::string Rig::at(Revision revision) const
{
    const auto state = states_.find(revision);
    return state == states_.end() ? std::string{} : state->second;
}

bool Rig::ever_was(Revision revision, const std::string& state) const
{
    const auto [begin, end] = taken_back_.equal_range(revision);
    return at(revision) == state ||
           std::any_of(begin, end, [&](const auto& entry) { return entry.second == state; });
}

tl::expected<void, std::string> take_snapshot(Journal& journal, StateStore& store)
{
    FrozenView view(store);
    const auto sink = journal.put_snapshot(view.revision());
    SnapshotWriter writer({view.revision(), Timestamp{std::chrono::milliseconds{1234}}, view.totals()});
    const auto add = [&writer](const auto& row) { writer.add(row); };
    for (bool more = true; more;) {
        more = view.workers.next(3, add) || view.tasks.next(3, add) || view.messages.next(3, add) ||
               writer.finish(3);
        const auto written = sink->write(writer.take());
        if (!written)
            return written;
    }
    return sink->commit();
}

std::vector<std::string> segments_on(FaultyDisk& disk)
{
    const auto names = list_segments(disk, state_paths.log);
    std::vector<std::string> paths;
    for (const auto& name : *names)
        paths.push_back(name.path);
    return paths;
}

Found::Found(FaultyDisk& disk) : store(Limits{})
{
    auto state = recover_state(disk, state_paths, Limits{}, store);
    if (!state) {
        recovery = tl::unexpected(state.error());
        return;
    }
    recovery = state->recovery;
    text = dump(store);
}

} // namespace coordination::testing
