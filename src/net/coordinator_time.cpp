#include "net/coordinator.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

/// What a coordinator does when time has passed.
namespace coordination {

namespace asio = boost::asio;

bool Coordinator::waits_for_work(const Step& step) const
{
    const auto* command = std::get_if<Command>(&step.submitted.action);
    const auto* claim = command ? std::get_if<ClaimTasks>(command) : nullptr;
    return claim && step.submitted.call && step.result && step.result->tasks.empty() &&
           claim->wait.count() > 0 && !stopped_;
}

/// The claim is asked again when there is work for it, or its time is over. That is soon enough for asking to
/// be a sign of life.
void Coordinator::park(Step& step, Timestamp now)
{
    auto& claim = std::get<ClaimTasks>(std::get<Command>(step.submitted.action));
    const auto wait = std::min(claim.wait, engine_.limits().heartbeat_timeout / 2);
    claim.wait = std::chrono::milliseconds{0};
    parked_.push_back({claim.worker, now + wait, std::move(step.submitted)});
    step.submitted = {};
}

void Coordinator::serve_claims(Batch& batch)
{
    if (parked_.empty() || std::exchange(serving_claims_, true))
        return; // what it runs ends here too
    for (std::size_t i = 0; i < parked_.size();) {
        if (parked_[i].until > batch.at && !engine_.has_work_for(parked_[i].worker.view(), batch.at)) {
            ++i;
            continue;
        }
        auto submitted = std::move(parked_[i].submitted);
        parked_.erase(parked_.begin() + static_cast<std::ptrdiff_t>(i));
        run(std::move(submitted), batch);
    }
    serving_claims_ = false;
}

/// Nobody will be given anything any more.
void Coordinator::answer_claims()
{
    for (auto& parked : std::exchange(parked_, {})) {
        const ReplyContext context{.now = clock_.now(),
                                   .revision = engine_.store().revision(),
                                   .durability = journal_.level(),
                                   .session = parked.submitted.session,
                                   .changed = false};
        parked.submitted.call->render(Outcome{.worker = parked.worker}, engine_.store(), context);
        parked.submitted.call->deliver();
    }
}

std::optional<Timestamp> Coordinator::next_due() const
{
    auto next = engine_.next_deadline();
    for (const auto& parked : parked_)
        if (!next || parked.until < *next)
            next = parked.until;
    return next;
}

asio::awaitable<void> Coordinator::watch_leases()
{
    while (!stopped_) {
        armed_for_ = next_due();
        if (armed_for_)
            lease_timer_.expires_after(std::max(*armed_for_ - clock_.now(), std::chrono::milliseconds{0}));
        else
            lease_timer_.expires_at(asio::steady_timer::time_point::max());
        const auto [woken] = co_await lease_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (woken)
            continue; // rearm() or stop()
        Batch batch;
        open(batch);
        Step step{.submitted = {}, .result = Outcome{}};
        engine_.expire(batch.at, batch.effects);
        step.changes_before_reply = batch.effects.changes.size();
        end_step(std::move(step), batch);
        close_batch(std::move(batch));
    }
}

/// Something is due earlier than the timer knows.
void Coordinator::rearm()
{
    const auto next = next_due();
    if (next && (!armed_for_ || *next < *armed_for_))
        lease_timer_.cancel();
}

asio::awaitable<void> Coordinator::stop()
{
    const auto on_strand = [this]() -> asio::awaitable<void> {
        stopped_ = true;
        answer_claims();
        lease_timer_.cancel();
        message_timer_.cancel();
        sessions_.close_all();
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

} // namespace coordination
