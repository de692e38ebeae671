#include "net/coordinator.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

/// What a coordinator does for the message bus.
namespace coordination {

namespace asio = boost::asio;

/// The topics of a connection that is no worker's are no state: what the command cannot see is seen here.
std::optional<Error> Coordinator::too_many_topics(const Command& command, const Caller& caller)
{
    if (!caller.worker.empty() || dispatcher_.note_topics(caller.session, command))
        return std::nullopt;
    return coordination::too_many_topics();
}

/// What a step did may be told: the post office learns of it.
void Coordinator::hand_over(const Step& step, std::span<const Change> changes, std::span<const PostPtr> posts)
{
    for (const auto& post : posts)
        dispatcher_.post(post);
    if (const auto* command = std::get_if<Command>(&step.submitted.action); command && step.result)
        dispatcher_.learn(*command, *step.result, step.submitted.session, changes);
}

/// There is something to send, or something is due earlier than the timer knows.
void Coordinator::stir_dispatcher()
{
    messages_stirred_ = true;
    if (!gathering_messages_)
        message_timer_.cancel();
}

asio::awaitable<void> Coordinator::deliver_messages()
{
    dispatcher_.resume(engine_.store());
    while (!stopped_) {
        messages_stirred_ = false;
        bury_due();
        if (dispatcher_.deliver(clock_.now()))
            co_await asio::post(strand_, asio::use_awaitable); // others have their turn
        else
            co_await await_messages();
    }
}

/// Until there is something to do, and then a little, so that more may gather.
asio::awaitable<void> Coordinator::await_messages()
{
    if (!messages_stirred_) {
        const auto next = by_hand_ ? std::nullopt : next_message_due();
        if (next)
            message_timer_.expires_after(std::max(*next - clock_.now(), std::chrono::milliseconds{0}));
        else
            message_timer_.expires_at(asio::steady_timer::time_point::max());
        const auto [woken] = co_await message_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        static_cast<void>(woken); // either way it looks around
    }
    const auto interval = engine_.limits().bus.processing_interval;
    if (stopped_ || by_hand_ || interval.count() == 0)
        co_return;
    gathering_messages_ = true;
    message_timer_.expires_after(interval);
    const auto [stopped] = co_await message_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    static_cast<void>(stopped);
    gathering_messages_ = false;
}

std::optional<Timestamp> Coordinator::next_message_due() const
{
    return failed_ ? dispatcher_.next_expiry() : dispatcher_.next_due();
}

/// Messages that cannot be delivered become dead letters. While nothing can be written they wait, and nothing
/// is sent again: nobody could acknowledge it.
void Coordinator::bury_due()
{
    if (failed_)
        return dispatcher_.drop_expired(clock_.now());
    auto burials = dispatcher_.due(clock_.now());
    if (burials.empty())
        return;
    Batch batch;
    open(batch);
    for (auto& burial : burials) {
        Step step{.submitted = {}, .result = Outcome{}};
        step.submitted.action = Command(std::move(burial));
        step.result = engine_.execute(std::get<Command>(step.submitted.action), {}, batch.at, batch.effects);
        step.changes_before_reply = batch.effects.changes.size();
        end_step(std::move(step), batch);
    }
    close_batch(std::move(batch));
}

} // namespace coordination
