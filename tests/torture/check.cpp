#include "torture/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace coordination::torture {
namespace {

using testing::field;
using testing::integer;
using testing::text;
using namespace std::chrono_literals;

std::string shown(const Json* value)
{
    return value ? boost::json::serialize(*value) : "nothing";
}

template <class Rows>
const Json* find(const Rows& rows, const std::string& key)
{
    const auto found = rows.find(key);
    return found == rows.end() ? nullptr : &found->second;
}

int rank_of(std::string_view status)
{
    if (status == "assigned")
        return 1;
    if (status == "in_progress")
        return 2;
    return status == "pending" ? 3 : 4; // a lease that was handed back is behind one that is held
}

/// Whether a task can have come from `earlier` to `later`.
bool follows(const Json& earlier, const Json& later)
{
    const auto attempt = integer(earlier, "attempt");
    const auto then = integer(later, "attempt");
    if (is_terminal(text(earlier, "status")))
        return earlier == later;
    if (then != attempt)
        return then > attempt && integer(later, "fence") > integer(earlier, "fence");
    return integer(later, "fence") == integer(earlier, "fence") &&
           rank_of(text(later, "status")) >= rank_of(text(earlier, "status"));
}

class Checker {
public:
    Checker(Evidence& evidence, const Recovered& recovered) : evidence_(evidence), recovered_(recovered) {}

    Findings run()
    {
        findings_.violations = std::move(evidence_.ledger.violations);
        findings_.highest_fence = evidence_.highest_fence;
        check_order();
        check_history();
        check_bounds();
        check_itself();
        replay();
        check_refused();
        if (evidence_.log) {
            check_acknowledged();
            check_workers();
        }
        return std::move(findings_);
    }

private:
    template <class... Args>
    void violated(fmt::format_string<Args...> text, Args&&... args)
    {
        findings_.violations.push_back(fmt::format(text, std::forward<Args>(args)...));
    }

    /// The changes are told in order of revision, without gaps.
    void check_order()
    {
        auto& changes = evidence_.changes;
        std::erase_if(changes, [this](const Json& change) {
            return integer(change, "revision") <= evidence_.before.revision;
        });
        told_ = evidence_.before.revision;
        for (const auto& change : changes) {
            const auto revision = integer(change, "revision");
            if (revision != told_ + 1)
                violated("revision {} was told behind {}", revision, told_);
            told_ = revision;
        }
    }

    /// While it ran: fences only rise, a task ends once, and no lease is lost, since all come back in time.
    void check_history()
    {
        std::map<std::string, std::string> ended;
        for (const auto& change : evidence_.changes) {
            if (text(change, "collection") != "tasks" || text(change, "operation") == "delete")
                continue;
            const auto& task = field(change, "value");
            const auto id = text(change, "key");
            if (const auto [known, first] = ended.emplace(id, ""); !first && !known->second.empty())
                violated("{} ended with {} and then changed to {}", id, known->second, shown(&task));
            if (is_terminal(text(task, "status")))
                ended[id] = shown(&task);
            if (number_or_zero(task, "leasesLost") > 0)
                violated("a lease was lost that nobody gave up: {}", shown(&task));
            check_fence(task, integer(change, "revision"));
        }
        for (const auto& ack : evidence_.ledger.acks)
            if (ack.task)
                highest_ = std::max(highest_, integer(*ack.task, "fence"));
        findings_.highest_fence = std::max(findings_.highest_fence, highest_);
    }

    void check_fence(const Json& task, Revision revision)
    {
        const auto fence = integer(task, "fence");
        const bool is_new = text(task, "status") == "assigned" && fence > revision - 3;
        if (is_new && fence <= std::max(highest_, evidence_.highest_fence))
            violated("the fence of a new lease does not rise above {}: {}",
                     std::max(highest_, evidence_.highest_fence), shown(&task));
        highest_ = std::max(highest_, fence);
    }

    /// How far back the recovered state may lie.
    void check_bounds()
    {
        const auto& ledger = evidence_.ledger;
        Revision least = std::max(evidence_.recovered_before, ledger.in_snapshot);
        if (evidence_.log)
            least =
                std::max({least, ledger.reached, told_ > evidence_.before.revision ? told_ : Revision{0}});
        else
            for (const auto& ack : ledger.acks)
                if (ack.at < evidence_.killed_at - 3 * evidence_.snapshot_interval - 1500ms)
                    least = std::max(least, ack.revision);
        if (recovered_.revision < least)
            violated("revision {} was promised to survive, {} was recovered", least, recovered_.revision);
        if (recovered_.state.revision < std::max(told_, ledger.reached))
            violated("revision {} was told before, and now the state is at {}",
                     std::max(told_, ledger.reached), recovered_.state.revision);
    }

    /// The recovered state agrees with itself: one holder a task, and the counts are those of the rows.
    void check_itself()
    {
        std::map<std::string, std::int64_t> load;
        for (const auto& [id, task] : recovered_.state.tasks) {
            const auto holder = recovered_.state.assignments.find(id);
            const bool assigned = holder != recovered_.state.assignments.end();
            if (is_held(text(task, "status")) != assigned)
                violated("assigned is {}, but the task is {}", assigned, shown(&task));
            if (assigned && text_or_none(task, "assignedTo") != holder->second)
                violated("{} holds {}", holder->second, shown(&task));
            if (number_or_zero(task, "leasesLost") > 0)
                violated("the restart has lost a lease: {}", shown(&task));
        }
        for (const auto& [task, worker] : recovered_.state.assignments)
            ++load[worker];
        for (const auto& [id, worker] : recovered_.state.workers)
            if (integer(worker, "activeTasks") != load[id])
                violated("{} tasks are held by {}", load[id], shown(&worker));
        for (const auto& [id, count] : load)
            if (!recovered_.state.workers.contains(id))
                violated("{} tasks are held by {}, which is unknown", count, id);
    }

    /// What was told up to the recovered revision gives the very state; what was not yet told may differ in
    /// as many rows as there are revisions, each in a way in which it can have changed.
    void replay()
    {
        auto& state = evidence_.before;
        for (const auto& change : evidence_.changes)
            if (integer(change, "revision") <= recovered_.revision)
                state.apply(change);
        findings_.exact = recovered_.revision <= std::max(told_, state.revision);
        compare(state.tasks, recovered_.state.tasks, [](const Json& row) { return row; });
        compare(state.workers, recovered_.state.workers, lasting_part);
        differing_ += static_cast<Revision>(state.assignments != recovered_.state.assignments);
        if (findings_.exact && differing_ > 0)
            violated("{} rows are not as they were at revision {}", differing_, recovered_.revision);
        else if (!findings_.exact && differing_ > recovered_.revision - told_)
            violated("{} rows have changed in the {} revisions from {} on", differing_,
                     recovered_.revision - told_, told_);
    }

    template <class Rows, class Part>
    void compare(const Rows& expected, const Rows& found, Part part)
    {
        for (const auto& [key, row] : expected) {
            const auto* now = find(found, key);
            if (now && part(row) == part(*now))
                continue;
            ++differing_;
            const bool is_task = row.as_object().contains("attempt");
            if (findings_.exact || (is_task && (!now || !follows(row, *now))))
                violated("at revision {}, {} was {} and is {}", recovered_.revision, key, shown(&row),
                         shown(now));
        }
        for (const auto& [key, row] : found) {
            if (expected.contains(key))
                continue;
            ++differing_;
            if (findings_.exact)
                violated("at revision {}, {} was not there and is {}", recovered_.revision, key, shown(&row));
        }
    }

    void check_refused()
    {
        for (const auto& [id, task] : recovered_.state.tasks)
            for (const auto& token : {text_or_none(task, "token"), ending_token(task)})
                if (evidence_.ledger.refused.contains(token))
                    violated("{} was refused, and is there: {}", token, shown(&task));
        for (const auto& [id, worker] : recovered_.state.workers)
            if (evidence_.ledger.refused.contains(text_or_none(field(worker, "metadata"), "token")))
                violated("this registration was refused: {}", shown(&worker));
    }

    void check_acknowledged()
    {
        std::map<std::string, std::string> ended_by;
        for (const auto& ack : evidence_.ledger.acks) {
            if (!ack.task)
                continue;
            const auto id = text(*ack.task, "id");
            const auto* now = find(recovered_.state.tasks, id);
            if (!now || !follows(*ack.task, *now))
                violated("acknowledged at revision {} as {}: {}, and is {}", ack.revision, ack.durable,
                         shown(&*ack.task), shown(now));
            if (!ack.ended_task)
                continue;
            if (const auto [other, first] = ended_by.emplace(id, ack.token); !first)
                violated("{} was ended by {} and by {}", id, other->second, ack.token);
            if (now && ending_token(*now) != ack.token)
                violated("{} ended this task: {}", ack.token, shown(now));
        }
    }

    void check_workers()
    {
        for (const auto& [id, fate] : evidence_.ledger.workers) {
            if (fate.uncertain || fate.token.empty())
                continue;
            const auto* now = find(recovered_.state.workers, id);
            const bool as_told = fate.registered
                                     ? now && text_or_none(field(*now, "metadata"), "token") == fate.token
                                     : now == nullptr;
            if (!as_told)
                violated("{} was last {}, and is {}", id,
                         fate.registered ? "registered by " + fate.token : "unregistered", shown(now));
        }
    }

    Evidence& evidence_;
    const Recovered& recovered_;
    Findings findings_;
    Revision told_ = 0;
    Revision highest_ = 0;
    Revision differing_ = 0;
};

} // namespace

Findings check(Evidence evidence, const Recovered& recovered)
{
    return Checker(evidence, recovered).run();
}

} // namespace coordination::torture
