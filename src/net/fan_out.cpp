#include "net/fan_out.hpp"

#include "core/json/records.hpp"
#include "core/json/write.hpp"
#include "core/store/topics.hpp"
#include "net/wire/errors.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace coordination {
namespace {

void append_value(std::string& out, const Change& change)
{
    if (change.operation == Operation::erase)
        out += "null";
    else if (const auto* worker = std::get_if<Worker>(&change.value))
        json::append_worker(out, *worker);
    else if (const auto* task = std::get_if<Task>(&change.value))
        json::append_task(out, *task);
    else
        json::append_assignment(out, std::get<Assignment>(change.value));
}

Frame write_frame(const Change& change, bool with_value)
{
    std::string out = R"({"type":"state_change","change":)";
    json::ObjectWriter writer(out);
    writer.string("collection", name_of(change.collection()))
        .string("key", change.key())
        .string("operation", name_of(change.operation))
        .number("revision", change.revision);
    if (with_value) {
        writer.name("value");
        append_value(out, change);
    }
    writer.close();
    out += R"(,"timestamp":)";
    json::append_integer(out, to_millis(change.at));
    out += '}';
    return std::make_shared<const std::string>(std::move(out));
}

/// One change in the two forms in which it may be wanted, each written when it first is.
class Frames {
public:
    explicit Frames(const Change& change) noexcept : change_(change) {}

    const Frame& get(bool with_value)
    {
        auto& frame = with_value ? valued_ : bare_;
        if (!frame)
            frame = write_frame(change_, with_value);
        return frame;
    }

private:
    const Change& change_;
    Frame bare_;
    Frame valued_;
};

Frame write_gap(const CoalescedChanges::Gap& gap)
{
    std::string out;
    json::ObjectWriter writer(out);
    writer.string("type", "state_gap")
        .number("from", gap.from)
        .number("to", gap.to)
        .number("changes", gap.changes)
        .number("kept", gap.kept)
        .close();
    return std::make_shared<const std::string>(std::move(out));
}

TopicMask topic_of(const Change& change) noexcept
{
    return topic_bit(change.collection(), change.operation);
}

/// What remembering a change costs, the texts it keeps alive included.
std::size_t bytes_of(const Change& change) noexcept
{
    std::size_t bytes = sizeof(Change) + change.key().size();
    if (const auto* task = std::get_if<Task>(&change.value))
        bytes += task->payload.size() + task->outcome.size() + task->progress.size();
    else if (const auto* worker = std::get_if<Worker>(&change.value))
        bytes += worker->metadata.size() + worker->capabilities_json.size() + worker->subscriptions.size();
    else
        bytes += std::get<Assignment>(change.value).worker.view().size();
    return bytes;
}

/// Before it is forgotten: by then it is far from the processor, and so are its texts.
void prefetch(const Change& change) noexcept
{
    if (const auto* task = std::get_if<Task>(&change.value)) {
        for (const auto* text :
             {&task->id.text, &task->payload, &task->assigned_to.text, &task->progress, &task->outcome})
            text->prefetch();
    } else if (const auto* worker = std::get_if<Worker>(&change.value)) {
        for (const auto* text :
             {&worker->id.text, &worker->capabilities_json, &worker->metadata, &worker->subscriptions})
            text->prefetch();
    } else {
        const auto& lease = std::get<Assignment>(change.value);
        lease.id.text.prefetch();
        lease.worker.text.prefetch();
    }
}

} // namespace

void FanOut::follow(SessionId session, std::shared_ptr<Outbox> outbox, const Subscription& subscription,
                    std::optional<Revision> since)
{
    unfollow(session);
    if (subscription.topics == 0)
        return;
    const auto budget = subscription.budget == 0
                            ? bounds_.waiting
                            : std::min<std::size_t>(subscription.budget, bounds_.waiting);
    followers_.emplace(session, Follower{.outbox = std::move(outbox),
                                         .topics = subscription.topics,
                                         .values = subscription.values,
                                         .coalesces = subscription.coalesce,
                                         .budget = budget,
                                         .sent = since,
                                         .held = {}});
    count(subscription.topics, 1);
    if (!since)
        return;
    catching_up_.insert(session);
    catch_up_when_taken(session);
}

void FanOut::unfollow(SessionId session)
{
    const auto follower = followers_.find(session);
    if (follower == followers_.end())
        return;
    count(follower->second.topics, -1);
    catching_up_.erase(session);
    followers_.erase(follower);
}

tl::expected<void, Error> FanOut::can_replay(Revision since, Revision present) const
{
    if (since > present)
        return tl::unexpected(
            invalid_field("since", "a revision that has been, the latest being " + std::to_string(present)));
    return remembered_after(since);
}

tl::expected<void, Error> FanOut::remembered_after(Revision since) const
{
    if (since >= forgotten_)
        return {};
    return tl::unexpected(Error{ErrorCode::revision_compacted,
                                "changes up to revision " + std::to_string(forgotten_) +
                                    " are not kept any more: read the state and subscribe from its revision",
                                forgotten_ + 1});
}

void FanOut::catch_up_when_taken(SessionId session)
{
    followers_.at(session).outbox->when_taken(
        [this, session] { on_strand_([this, session] { catch_up(session); }); });
}

/// Sends a follower what is remembered and it has not seen, as much as its outbox takes; the rest
/// when that is taken.
void FanOut::catch_up(SessionId session)
{
    constexpr std::size_t portion_max = 256 << 10;
    const auto entry = followers_.find(session);
    if (entry == followers_.end() || !entry->second.sent)
        return;
    auto& follower = entry->second;
    if (const auto whole = remembered_after(*follower.sent); !whole) {
        follower.outbox->push(wire::error_message(whole.error(), {})); // it was slower than what is forgotten
        unfollow(session);
        return;
    }
    std::vector<Frame> portion;
    std::size_t bytes = 0;
    auto kept = std::ranges::upper_bound(remembered_, *follower.sent, {}, &Remembered::revision);
    for (; kept != remembered_.end() && bytes < std::min(portion_max, follower.budget); ++kept) {
        follower.sent = kept->revision();
        if ((topic_of(kept->change) & follower.topics) == 0)
            continue;
        portion.push_back(write_frame(kept->change, follower.values));
        bytes += portion.back()->size();
    }
    follower.outbox->push_changes(std::move(portion));
    if (kept != remembered_.end()) {
        catch_up_when_taken(session);
        return;
    }
    follower.sent.reset();
    catching_up_.erase(session);
}

void FanOut::send(SessionId session, Follower& follower, const Change& change, const Frame& frame)
{
    if (follower.held)
        return hold(follower, change, frame);
    if (follower.outbox->push_change(frame, follower.budget))
        return;
    if (!follower.coalesces)
        return follower.outbox->close(Outbox::Close::overflow);
    fall_behind(session, follower);
    hold(follower, change, frame);
}

/// From here on its changes are held, until all that waits for it is taken.
void FanOut::fall_behind(SessionId session, Follower& follower)
{
    follower.held.emplace(follower.budget);
    follower.outbox->when_taken([this, session] { on_strand_([this, session] { send_held(session); }); });
}

void FanOut::hold(Follower& follower, const Change& change, Frame frame)
{
    switch (follower.held->put(change.collection(), change.key(), change.revision, std::move(frame))) {
    case CoalescedChanges::Put::added:
        break;
    case CoalescedChanges::Put::merged:
        ++counters_.merged;
        break;
    case CoalescedChanges::Put::full:
        follower.held.reset();
        follower.outbox->close(Outbox::Close::overflow);
        break;
    }
}

void FanOut::send_held(SessionId session)
{
    const auto entry = followers_.find(session);
    if (entry == followers_.end() || !entry->second.held)
        return;
    auto held = *std::exchange(entry->second.held, {});
    ++counters_.gaps;
    std::vector<Frame> frames{write_gap(held.gap())};
    std::ranges::move(held.take(), std::back_inserter(frames));
    entry->second.outbox->push_changes(std::move(frames));
}

/// The oldest change is about to be forgotten: who would still have to be sent it and coalesces is from now on
/// held what is remembered, since afterwards nobody could tell what it has missed.
void FanOut::hold_before(Revision forgotten)
{
    for (auto session = catching_up_.begin(); session != catching_up_.end();) {
        auto& follower = followers_.at(*session);
        if (!follower.coalesces || *follower.sent >= forgotten) {
            ++session;
            continue;
        }
        fall_behind(*session, follower);
        auto kept = std::ranges::upper_bound(remembered_, *follower.sent, {}, &Remembered::revision);
        for (; kept != remembered_.end() && follower.held; ++kept)
            if ((topic_of(kept->change) & follower.topics) != 0)
                hold(follower, kept->change, write_frame(kept->change, follower.values));
        follower.sent.reset();
        session = catching_up_.erase(session);
    }
}

void FanOut::publish(std::span<Change> changes)
{
    for (auto& change : changes) {
        if (!change.is_watched())
            continue;
        const auto topic = topic_of(change);
        if (followed_[static_cast<std::size_t>(std::countr_zero(topic))] > 0) {
            Frames frames(change);
            for (auto& [session, follower] : followers_)
                if ((follower.topics & topic) != 0 && !follower.sent)
                    send(session, follower, change, frames.get(follower.values));
        }
        remember(std::move(change));
    }
}

std::size_t FanOut::topics() const noexcept
{
    return static_cast<std::size_t>(std::ranges::count_if(followed_, [](std::size_t n) { return n > 0; }));
}

void FanOut::count(TopicMask topics, int by) noexcept
{
    for (std::size_t bit = 0; bit < followed_.size(); ++bit)
        if ((topics & (TopicMask{1} << bit)) != 0)
            followed_[bit] += static_cast<std::size_t>(by);
}

/// A fifth of a task's time was spent waiting for what is thrown away.
void FanOut::prefetch_what_goes_soon() const noexcept
{
    constexpr std::size_t texts_ahead = 6;
    constexpr std::size_t changes_ahead = 12;
    constexpr std::size_t line = 64;
    if (remembered_.size() <= changes_ahead)
        return;
    const auto* change = reinterpret_cast<const char*>(&remembered_[changes_ahead]);
    for (std::size_t at = 0; at < sizeof(Remembered); at += line)
        __builtin_prefetch(change + at, 1);
    prefetch(remembered_[texts_ahead].change);
}

void FanOut::remember(Change&& change)
{
    const auto bytes = bytes_of(change);
    bytes_ += bytes;
    remembered_.push_back({std::move(change), bytes});
    while (bytes_ > bounds_.remembered && !remembered_.empty()) {
        if (!catching_up_.empty())
            hold_before(remembered_.front().revision());
        prefetch_what_goes_soon();
        bytes_ -= remembered_.front().bytes;
        forgotten_ = remembered_.front().revision();
        remembered_.pop_front();
    }
}

} // namespace coordination
