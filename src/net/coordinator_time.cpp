#include "net/coordinator.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
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
           claim->wait.count() > 0 && claims_wait_;
}

/// The claim is asked again when there is work for it, or its time is over. That is soon enough for asking to
/// be a sign of life.
void Coordinator::park(Step& step, Timestamp now)
{
    auto& claim = std::get<ClaimTasks>(std::get<Command>(step.submitted.action));
    const auto wait = std::min(claim.wait, engine_.limits().heartbeat_timeout / 2);
    claim.wait = std::chrono::milliseconds{0};
    claims_due_ = parked_.empty() ? now + wait : std::min(claims_due_, now + wait);
    parked_.push_back({claim.worker, now + wait, std::move(step.submitted)});
    step.submitted = {};
}

void Coordinator::serve_claims(Batch& batch)
{
    if (parked_.empty() || std::exchange(serving_claims_, true))
        return; // what it runs ends here too
    claims_due_ = Timestamp::max();
    for (std::size_t i = 0; i < parked_.size();) {
        if (parked_[i].until > batch.at && !engine_.has_work_for(parked_[i].worker.view(), batch.at)) {
            claims_due_ = std::min(claims_due_, parked_[i].until);
            ++i;
            continue;
        }
        auto parked = std::move(parked_[i]);
        parked_.erase(parked_.begin() + static_cast<std::ptrdiff_t>(i));
        const Worker* worker = engine_.store().workers().find(parked.worker.view());
        const bool has_left = worker && !worker->online; // which its claim of before must not undo
        if (has_left || parked.submitted.call->abandoned())
            answer_claim(parked);
        else
            run(std::move(parked.submitted), batch);
    }
    serving_claims_ = false;
}

/// The connection that claimed has ended.
void Coordinator::drop_claims(SessionId session)
{
    std::erase_if(parked_, [&](const ParkedClaim& parked) { return parked.submitted.session == session; });
}

/// Nobody will be given anything any more.
void Coordinator::answer_claims()
{
    for (const auto& parked : std::exchange(parked_, {}))
        answer_claim(parked);
}

/// That there is nothing.
void Coordinator::answer_claim(const ParkedClaim& parked)
{
    const ReplyContext context{.now = clock_.now(),
                               .revision = engine_.store().revision(),
                               .durability = journal_.level(),
                               .session = parked.submitted.session,
                               .changed = false};
    parked.submitted.call->render(Outcome{.worker = parked.worker}, engine_.store(), context);
    parked.submitted.call->deliver();
}

std::optional<Timestamp> Coordinator::next_due() const
{
    auto next = engine_.next_deadline();
    if (!parked_.empty() && (!next || claims_due_ < *next))
        next = claims_due_;
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
        end_what_is_due();
    }
}

void Coordinator::end_what_is_due()
{
    Batch batch;
    open(batch);
    Step step{.submitted = {}, .result = Outcome{}};
    engine_.expire(batch.at, batch.effects);
    step.changes_before_reply = batch.effects.changes.size();
    end_step(std::move(step), batch);
    close_batch(std::move(batch));
}

std::optional<Timestamp> Coordinator::next_due_by_hand() const
{
    auto next = next_due();
    const auto message = next_message_due();
    if (message && (!next || *message < *next))
        next = message;
    return next;
}

asio::awaitable<std::optional<Timestamp>> Coordinator::catch_up()
{
    std::optional<Timestamp> due;
    const auto on_strand = [this, &due]() -> asio::awaitable<void> {
        drain(); // it comes behind what was submitted before
        co_await released();
        due = next_due_by_hand();
        while (due && *due <= clock_.now() && !stopped_) {
            end_what_is_due();
            bury_due();
            co_await released();
            while (dispatcher_.deliver(clock_.now())) {
            }
            due = next_due_by_hand();
        }
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
    co_return due;
}

asio::awaitable<void> Coordinator::end_waiting()
{
    const auto on_strand = [this]() -> asio::awaitable<void> {
        claims_wait_ = false;
        answer_claims();
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

asio::awaitable<void> Coordinator::settled()
{
    const auto on_strand = [this]() -> asio::awaitable<void> {
        drain(); // it comes behind what was submitted before
        co_await released();
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

/// On the strand: until what has been executed has been told or refused.
asio::awaitable<void> Coordinator::released()
{
    const auto wait = [this](auto handler) { unreached_.back().awaiting.emplace_back(std::move(handler)); };
    if (!unreached_.empty())
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(wait, asio::use_awaitable);
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
        lease_timer_.cancel();
        message_timer_.cancel();
        sessions_.close_all();
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

} // namespace coordination
