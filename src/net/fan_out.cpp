#include "net/fan_out.hpp"

#include "core/json/records.hpp"
#include "core/json/write.hpp"
#include "core/store/topics.hpp"

#include <algorithm>
#include <bit>
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

TopicMask topic_of(const Change& change) noexcept
{
    return topic_bit(change.collection(), change.operation);
}

/// What remembering a change costs, the texts it keeps alive included.
std::size_t bytes_of(const Change& change) noexcept
{
    std::size_t bytes = sizeof(Change) + change.key().size();
    if (const auto* task = std::get_if<Task>(&change.value))
        bytes += task->payload.size() + task->outcome.size();
    else if (const auto* worker = std::get_if<Worker>(&change.value))
        bytes += worker->metadata.size() + worker->capabilities_json.size();
    return bytes;
}

} // namespace

void FanOut::follow(SessionId session, std::shared_ptr<Outbox> outbox, TopicMask topics, bool values)
{
    unfollow(session);
    if (topics == 0)
        return;
    followers_.emplace(session, Follower{std::move(outbox), topics, values});
    count(topics, 1);
}

void FanOut::unfollow(SessionId session)
{
    const auto follower = followers_.find(session);
    if (follower == followers_.end())
        return;
    count(follower->second.topics, -1);
    followers_.erase(follower);
}

tl::expected<void, Error> FanOut::can_replay(Revision since, Revision present) const
{
    if (since > present)
        return tl::unexpected(
            invalid_field("since", "a revision that has been, the latest being " + std::to_string(present)));
    if (since < forgotten_)
        return tl::unexpected(
            Error{ErrorCode::revision_compacted,
                  "changes up to revision " + std::to_string(forgotten_) +
                      " are not kept any more: read the state and subscribe from its revision",
                  forgotten_ + 1});
    return {};
}

void FanOut::replay(Outbox& outbox, Revision since, TopicMask topics, bool values) const
{
    const auto first = std::ranges::upper_bound(remembered_, since, {}, &Change::revision);
    for (auto change = first; change != remembered_.end(); ++change)
        if ((topic_of(*change) & topics) != 0)
            outbox.push(write_frame(*change, values));
}

std::size_t FanOut::publish(std::span<Change> changes)
{
    std::size_t queued = 0;
    for (auto& change : changes) {
        const auto topic = topic_of(change);
        if (followed_[static_cast<std::size_t>(std::countr_zero(topic))] > 0) {
            Frames frames(change);
            for (auto& [session, follower] : followers_) {
                if ((follower.topics & topic) == 0)
                    continue;
                follower.outbox->push(frames.get(follower.values));
                ++queued;
            }
        }
        remember(std::move(change));
    }
    return queued;
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

void FanOut::remember(Change&& change)
{
    bytes_ += bytes_of(change);
    remembered_.push_back(std::move(change));
    while (bytes_ > bytes_max_ && !remembered_.empty()) {
        bytes_ -= bytes_of(remembered_.front());
        forgotten_ = remembered_.front().revision;
        remembered_.pop_front();
    }
}

} // namespace coordination
