#include "net/dispatcher.hpp"

#include "net/wire/messages.hpp"

#include <utility>

namespace coordination {
namespace {

/// What the strand does in one go, about a tenth of a millisecond of its time, and for one connection of it.
constexpr int frames_a_turn = 128;
constexpr int frames_a_connection = 32;
constexpr std::size_t deliveries_due_a_turn = 128;

Frame frame_for(const PostOffice::Handout& handout)
{
    const auto& post = *handout.post;
    if (handout.attempt > 1 || !handout.shared)
        return std::make_shared<const std::string>(wire::message_frame(post.message, handout.attempt));
    if (!post.frame())
        post.keep_frame(std::make_shared<const std::string>(wire::message_frame(post.message, 1)));
    return post.frame();
}

} // namespace

void Dispatcher::open(SessionId session, std::shared_ptr<Outbox> outbox)
{
    outboxes_.emplace(session, std::move(outbox));
    office_.open(session);
}

void Dispatcher::close(SessionId session)
{
    outboxes_.erase(session);
    office_.close(session);
    wake_(); // what waited for it is let go, and may be due
}

bool Dispatcher::note_topics(SessionId session, const Command& command)
{
    if (const auto* more = std::get_if<SubscribeMessages>(&command))
        return office_.ask_for_topics(session, more->topics);
    if (const auto* fewer = std::get_if<UnsubscribeMessages>(&command))
        office_.give_up_topics(session, fewer->topics);
    return true;
}

void Dispatcher::post(const PostPtr& post)
{
    office_.post(post);
    for (const auto session : office_.take_overfull())
        if (const auto entry = outboxes_.find(session); entry != outboxes_.end())
            entry->second->close(Outbox::Close::overflow);
    wake_();
}

void Dispatcher::learn(const Command& command, const Outcome& outcome, SessionId session,
                       std::span<const Change> changes)
{
    if (office_.learn(command, outcome, session, changes))
        wake_(); // something to send, or another time to wake at
}

bool Dispatcher::deliver(Timestamp now)
{
    for (int frames = 0; frames < frames_a_turn; frames += frames_a_connection) {
        const auto session = office_.ready();
        if (!session)
            return false;
        serve(*session, now, frames_a_connection);
    }
    return office_.ready().has_value();
}

void Dispatcher::serve(SessionId session, Timestamp now, int frames_max)
{
    const auto outbox = outboxes_.at(session);
    for (int frames = 0; frames < frames_max; ++frames) {
        if (!outbox->has_room_for_messages()) {
            office_.rest(session);
            const auto go_on = [this, session] {
                office_.wake(session);
                wake_();
            };
            outbox->when_taken([this, go_on] { on_strand_(go_on); }, Outbox::Kind::message);
            return;
        }
        const auto handout = office_.next(session, now);
        if (!handout)
            return;
        outbox->push(frame_for(*handout));
    }
    office_.yield(session);
}

std::vector<BuryMessage> Dispatcher::due(Timestamp now)
{
    return office_.due(now, deliveries_due_a_turn);
}

void Dispatcher::drop_expired(Timestamp now)
{
    office_.drop_expired(now, deliveries_due_a_turn);
}

} // namespace coordination
