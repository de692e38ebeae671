#include "net/coordinator.hpp"

#include "core/json/records.hpp"
#include "core/json/write.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace coordination {

namespace asio = boost::asio;

Coordinator::Coordinator(asio::any_io_executor executor, const Limits& limits, std::size_t watch_bytes_max,
                         const Clock& clock, Metrics& metrics)
    : strand_(asio::make_strand(executor)),
      clock_(clock),
      metrics_(metrics),
      engine_(limits),
      fan_out_(watch_bytes_max),
      lease_timer_(strand_)
{
}

Coordinator::~Coordinator() = default;

void Coordinator::submit(Action action, SessionId session, std::unique_ptr<Call> call)
{
    enqueue({.action = std::move(action),
             .session = session,
             .call = std::move(call),
             .outbox = nullptr,
             .at = std::chrono::steady_clock::now()});
}

SessionId Coordinator::attach(std::shared_ptr<Outbox> outbox)
{
    SessionId session = 0;
    {
        const std::lock_guard lock(mutex_);
        session = ++last_session_;
    }
    enqueue({.action = {}, .session = session, .call = nullptr, .outbox = std::move(outbox), .at = {}});
    return session;
}

void Coordinator::detach(SessionId session)
{
    enqueue({.action = {}, .session = session, .call = nullptr, .outbox = nullptr, .at = {}});
}

asio::awaitable<void> Coordinator::read(std::function<void(const StateStore&)> look)
{
    const auto on_strand = [this, &look]() -> asio::awaitable<void> {
        look(engine_.store());
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

asio::awaitable<std::shared_ptr<FrozenView>> Coordinator::freeze()
{
    std::shared_ptr<FrozenView> view;
    const auto on_strand = [this, &view]() -> asio::awaitable<void> {
        const auto let_go = [strand = strand_](FrozenView* last) {
            asio::dispatch(strand, [last] { delete last; });
        };
        view = std::shared_ptr<FrozenView>(new FrozenView(engine_.store()), let_go);
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
    co_return view;
}

void Coordinator::enqueue(Submitted submitted)
{
    const std::lock_guard lock(mutex_);
    submitted_.push_back(std::move(submitted));
    if (submitted_.size() == 1)
        asio::post(strand_, [this] { drain(); });
}

/// Runs all that has gathered, so that wake-ups are shared under load.
void Coordinator::drain()
{
    std::vector<Submitted> batch;
    {
        const std::lock_guard lock(mutex_);
        batch.swap(submitted_);
    }
    const auto now = clock_.now();
    for (auto& submitted : batch)
        run(submitted, now);
    rearm();
}

void Coordinator::run(Submitted& submitted, Timestamp now)
{
    if (!submitted.call) {
        if (submitted.outbox)
            sessions_.emplace(submitted.session, Session{std::move(submitted.outbox), {}});
        else
            leave(submitted.session, now);
        return;
    }
    const auto result = perform(submitted.action, submitted.session, now);
    const bool changed = result && result->revision != 0;
    submitted.call->render(result, engine_.store(),
                           {.now = now,
                            .revision = changed ? result->revision : engine_.store().revision(),
                            .durability = Durability::memory,
                            .session = submitted.session,
                            .changed = changed});
    publish();
    submitted.call->deliver();
    if (result)
        update_session(submitted.action, *result, submitted.session);
    engine_.settle(now, effects_);
    publish();
    count(submitted);
}

Result Coordinator::perform(const Action& action, SessionId session, Timestamp now)
{
    if (const auto* command = std::get_if<Command>(&action)) {
        if (!refusal_.empty() && std::holds_alternative<AssignTask>(*command))
            return tl::unexpected(Error{ErrorCode::storage_failed, refusal_});
        return engine_.execute(*command, caller_of(session), now, effects_);
    }
    if (const auto* watch = std::get_if<Watch>(&action))
        return start_watch(*watch, session, now);
    return Outcome{};
}

Result Coordinator::start_watch(const Watch& watch, SessionId session, Timestamp now)
{
    if (watch.since) {
        const auto replayable = fan_out_.can_replay(*watch.since, engine_.store().revision());
        if (!replayable)
            return tl::unexpected(replayable.error());
    }
    const auto caller = caller_of(session);
    if (caller.worker.empty() || !engine_.store().workers().find(caller.worker.view()))
        return Outcome{};
    return engine_.execute(Subscribe{caller.worker, watch.subscription}, caller, now, effects_);
}

void Coordinator::update_session(const Action& action, const Outcome& outcome, SessionId session)
{
    const auto entry = sessions_.find(session);
    if (entry == sessions_.end())
        return;
    const auto& outbox = entry->second.outbox;
    if (const auto* watch = std::get_if<Watch>(&action)) {
        const auto& wanted = watch->subscription;
        if (watch->since)
            fan_out_.replay(*outbox, *watch->since, wanted.topics, wanted.values);
        fan_out_.follow(session, outbox, wanted.topics, wanted.values);
    } else if (const auto* command = std::get_if<Command>(&action);
               command && std::holds_alternative<RegisterWorker>(*command)) {
        entry->second.worker = outcome.worker;
        const Worker* worker = engine_.store().workers().find(outcome.worker.view());
        if (worker->topics != 0) // else the socket keeps what it followed before it became a worker's
            fan_out_.follow(session, outbox, worker->topics, worker->wants_values);
        if (const auto old = sessions_.find(outcome.superseded); old != sessions_.end()) {
            fan_out_.unfollow(outcome.superseded);
            old->second.outbox->close(Outbox::Close::superseded);
        }
    }
    metrics_.subscribers = fan_out_.followers();
    metrics_.topics = fan_out_.topics();
}

Caller Coordinator::caller_of(SessionId session) const
{
    const auto entry = sessions_.find(session);
    return {session, entry == sessions_.end() ? WorkerId{} : entry->second.worker};
}

void Coordinator::leave(SessionId session, Timestamp now)
{
    const auto entry = sessions_.find(session);
    if (entry == sessions_.end())
        return;
    fan_out_.unfollow(session);
    metrics_.subscribers = fan_out_.followers();
    metrics_.topics = fan_out_.topics();
    const auto worker = std::move(entry->second.worker);
    sessions_.erase(entry);
    if (worker.empty())
        return;
    const auto left = engine_.execute(CloseSession{worker, session}, {}, now, effects_);
    static_cast<void>(left); // never refused
    engine_.settle(now, effects_);
    publish();
}

/// Everybody hears of what has been committed.
void Coordinator::publish()
{
    const auto queued = fan_out_.publish(effects_.changes);
    metrics_.frames_queued.fetch_add(queued, std::memory_order_relaxed);
    for (const auto& delivery : effects_.deliveries)
        send(delivery);
    effects_.clear();
}

void Coordinator::send(const Delivery& delivery)
{
    const auto entry = sessions_.find(delivery.session);
    if (entry == sessions_.end())
        return; // it has just gone: the lease runs out, or it comes back and is told again
    std::string out = R"({"type":"task_assigned","task":)";
    json::append_task(out, delivery.task);
    out += R"(,"timestamp":)";
    json::append_integer(out, to_millis(delivery.at));
    out += '}';
    entry->second.outbox->push(std::move(out));
    metrics_.frames_queued.fetch_add(1, std::memory_order_relaxed);
}

void Coordinator::count(const Submitted& submitted)
{
    const auto finished = std::chrono::steady_clock::now();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(finished - submitted.at);
    ++metrics_.operations;
    metrics_.latency_us.add(static_cast<std::uint64_t>(took.count()));
    metrics_.rate.add(std::chrono::duration_cast<std::chrono::seconds>(finished.time_since_epoch()), 1);
}

asio::awaitable<void> Coordinator::watch_leases()
{
    while (!stopped_) {
        armed_for_ = engine_.next_deadline();
        if (armed_for_)
            lease_timer_.expires_after(std::max(*armed_for_ - clock_.now(), std::chrono::milliseconds{0}));
        else
            lease_timer_.expires_at(asio::steady_timer::time_point::max());
        const auto [woken] = co_await lease_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (woken)
            continue; // rearm() or stop()
        const auto now = clock_.now();
        engine_.expire(now, effects_);
        engine_.settle(now, effects_);
        publish();
    }
}

/// A lease that runs out earlier than the timer knows: the first one. All others come later than those before
/// them.
void Coordinator::rearm()
{
    if (!armed_for_ && engine_.next_deadline())
        lease_timer_.cancel();
}

asio::awaitable<void> Coordinator::stop()
{
    const auto on_strand = [this]() -> asio::awaitable<void> {
        stopped_ = true;
        lease_timer_.cancel();
        sessions_.clear();
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

void Coordinator::refuse_work(std::string reason)
{
    asio::post(strand_, [this, reason = std::move(reason)]() mutable { refusal_ = std::move(reason); });
}

} // namespace coordination
