#include "net/coordinator.hpp"

#include <boost/asio/post.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

bool is_new_work(const Command& command) noexcept
{
    const auto* publication = std::get_if<PublishMessage>(&command);
    return std::holds_alternative<AssignTask>(command) || std::holds_alternative<SubmitTasks>(command) ||
           (publication && publication->guarantee != Guarantee::at_most_once);
}

} // namespace

Coordinator::Coordinator(Strand strand, const Limits& limits, const WatchBounds& watching, const Clock& clock,
                         Metrics& metrics, Journal& journal)
    : strand_(std::move(strand)),
      turns_(strand_),
      clock_(clock),
      metrics_(metrics),
      journal_(journal),
      engine_(limits),
      sessions_(watching, metrics,
                [this](std::function<void()> run) { asio::post(strand_, std::move(run)); }),
      dispatcher_(
          engine_.limits(), [this](std::function<void()> run) { asio::post(strand_, std::move(run)); },
          [this] { stir_dispatcher(); }),
      lease_timer_(strand_),
      message_timer_(strand_)
{
    metrics_.bus = &dispatcher_.office();
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

void Coordinator::enqueue(Submitted submitted)
{
    const std::lock_guard lock(mutex_);
    submitted_.push_back(std::move(submitted));
    if (submitted_.size() == 1)
        turns_.post<&Coordinator::drain>(this);
}

/// Runs all that has gathered, so that wake-ups, one append and one sync are shared under load.
void Coordinator::drain()
{
    std::vector<Submitted> gathered;
    {
        const std::lock_guard lock(mutex_);
        gathered.swap(submitted_);
    }
    if (gathered.empty())
        return;
    Batch batch;
    open(batch);
    for (auto& submitted : gathered)
        run(std::move(submitted), batch);
    close_batch(std::move(batch));
}

/// `batch` must not move before close_batch().
void Coordinator::open(Batch& batch)
{
    batch = std::exchange(spare_, Batch{});
    batch.at = clock_.now();
    batch.effects.undo = journal_.level() == Durability::memory ? nullptr : &batch.undo;
}

void Coordinator::run(Submitted submitted, Batch& batch)
{
    if (submitted.outbox) {
        dispatcher_.open(submitted.session, submitted.outbox);
        sessions_.open(submitted.session, std::move(submitted.outbox));
        return;
    }
    Step step{.submitted = std::move(submitted), .result = Outcome{}};
    step.result = perform(step.submitted, batch);
    if (waits_for_work(step))
        park(step, batch.at);
    step.changes_before_reply = batch.effects.changes.size();
    if (step.submitted.call)
        step.submitted.call->render(step.result, engine_.store(), context_of(step, batch));
    end_step(std::move(step), batch);
}

/// Adds what follows from a step to it.
void Coordinator::end_step(Step step, Batch& batch)
{
    engine_.settle(batch.at, batch.effects);
    const auto changes_begin = batch.steps.empty() ? 0 : batch.steps.back().changes_end;
    step.changes_end = batch.effects.changes.size();
    const bool changed = step.changes_end > changes_begin;
    step.deliveries_end = batch.effects.deliveries.size();
    step.posts_end = batch.effects.posts.size();
    batch.steps.push_back(std::move(step));
    if (changed || claims_due_ <= batch.at) // else there is nothing for them that was not there before
        serve_claims(batch);
}

void Coordinator::close_batch(Batch batch)
{
    batch.last = engine_.store().revision();
    journal_.append(batch.effects.changes);
    if (unreached_.empty() &&
        (journal_.level() == Durability::memory || journal_.progress().reached >= batch.last)) {
        release(std::move(batch));
    } else {
        unreached_.push_back(std::move(batch));
        release_reached(); // it may have come that far meanwhile
        hand_over_soon();
    }
    rearm();
}

void Coordinator::hand_over_soon()
{
    if (!std::exchange(hands_over_, true))
        asio::post(strand_, [this] { hand_over(); });
}

/// Behind what the sockets have brought since it was queued. As long as they bring more, it queues again: under load
/// one write and one sync then make all of it durable. (Each costs the processor as much as several tasks.)
void Coordinator::hand_over()
{
    constexpr unsigned looks_max = 8;
    const auto inputs = turns_.inputs();
    if (std::exchange(inputs_, inputs) != inputs && ++looks_ < looks_max)
        return asio::post(strand_, [this] { hand_over(); });
    hands_over_ = false;
    looks_ = 0;
    journal_.hand_over();
}

Result Coordinator::perform(const Submitted& submitted, Batch& batch)
{
    const auto session = submitted.session;
    if (!submitted.call) { // the connection has ended
        drop_claims(session);
        dispatcher_.close(session);
        const auto worker = sessions_.close(session);
        if (worker.empty())
            return Outcome{};
        return engine_.execute(CloseSession{worker, session}, {}, batch.at, batch.effects);
    }
    if (const auto* command = std::get_if<Command>(&submitted.action)) {
        if (!refusal_.empty() && is_new_work(*command))
            return tl::unexpected(Error{ErrorCode::storage_failed, refusal_});
        const auto caller = caller_of(session);
        auto result = engine_.execute(*command, caller, batch.at, batch.effects);
        if (auto refusal = result ? too_many_topics(*command, caller) : std::nullopt)
            return tl::unexpected(std::move(*refusal));
        if (result && std::holds_alternative<RegisterWorker>(*command))
            sessions_.bind(session, result->worker); // what it sends next comes from a worker
        return result;
    }
    if (const auto* watch = std::get_if<Watch>(&submitted.action))
        return start_watch(*watch, session, batch);
    return Outcome{};
}

Result Coordinator::start_watch(const Watch& watch, SessionId session, Batch& batch)
{
    if (watch.since) {
        const auto replayable = sessions_.fan_out().can_replay(*watch.since, engine_.store().revision());
        if (!replayable)
            return tl::unexpected(replayable.error());
    }
    const auto caller = caller_of(session);
    if (caller.worker.empty() || !engine_.store().workers().find(caller.worker.view()))
        return Outcome{};
    return engine_.execute(Subscribe{caller.worker, watch.subscription}, caller, batch.at, batch.effects);
}

ReplyContext Coordinator::context_of(const Step& step, const Batch& batch) const
{
    const bool changed = step.result && step.result->revision != 0;
    return {.now = batch.at,
            .revision = changed ? step.result->revision : engine_.store().revision(),
            .durability = journal_.level(),
            .session = step.submitted.session,
            .changed = changed};
}

void Coordinator::journal_moved()
{
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(moved_posted_, true))
            return;
    }
    asio::post(strand_, [this] {
        {
            const std::lock_guard lock(mutex_);
            moved_posted_ = false;
        }
        release_reached();
        rearm();
    });
}

void Coordinator::release_reached()
{
    const auto progress = journal_.progress();
    while (!unreached_.empty() && unreached_.front().last <= progress.reached) {
        auto batch = std::move(unreached_.front());
        unreached_.pop_front();
        release(std::move(batch));
    }
    refusal_ = progress.pressure;
    if (progress.failure.empty() && failed_)
        write_again();
    else if (!progress.failure.empty() && failed_)
        journal_.rewind(); // it may have recovered and failed again since: nothing was appended in between
    else if (!progress.failure.empty())
        take_back(progress.failure);
}

/// Everybody hears of what has become as durable as was promised, in the order in which it happened.
void Coordinator::release(Batch batch)
{
    const std::span changes(batch.effects.changes);
    const std::span<const Delivery> deliveries(batch.effects.deliveries);
    const std::span<const PostPtr> posts(batch.effects.posts);
    std::size_t change = 0;
    std::size_t delivery = 0;
    std::size_t post = 0;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& step : batch.steps) {
        const auto own = changes.subspan(change, step.changes_before_reply - change);
        hand_over(step, own, posts.subspan(post, step.posts_end - post));
        post = step.posts_end;
        tell(own);
        if (step.submitted.call) {
            step.submitted.call->deliver();
            update_session(step);
            count(step, now);
        }
        tell(changes.subspan(step.changes_before_reply, step.changes_end - step.changes_before_reply));
        change = step.changes_end;
        for (; delivery < step.deliveries_end; ++delivery)
            sessions_.send(deliveries[delivery]);
    }
    batch.steps.clear();
    batch.effects.clear();
    batch.undo.writes.clear();
    resume(std::exchange(batch.awaiting, {}));
    spare_ = std::move(batch);
}

/// Behind what is under way on the strand.
void Coordinator::resume(std::vector<Waiter<>> waiters)
{
    for (auto& waiter : waiters)
        asio::post(strand_, [waiting = std::move(waiter)]() mutable { std::move(waiting)(); });
}

void Coordinator::tell(std::span<Change> changes)
{
    if (listener_)
        listener_(changes);
    sessions_.publish(changes); // moves from them
}

/// What a call that went well means for its connection, once its reply is out.
void Coordinator::update_session(const Step& step)
{
    const auto session = step.submitted.session;
    if (!step.result || session == 0)
        return;
    if (const auto* watch = std::get_if<Watch>(&step.submitted.action)) {
        sessions_.follow(session, watch->subscription, watch->since);
        return;
    }
    const auto* command = std::get_if<Command>(&step.submitted.action);
    if (!command || !std::holds_alternative<RegisterWorker>(*command))
        return;
    const Worker* worker = engine_.store().workers().find(step.result->worker.view());
    if (worker && worker->topics != 0) // else the socket keeps what it followed before it became a worker's
        sessions_.follow(session,
                         {worker->subscriptions, worker->topics, worker->wants_values, worker->coalesces,
                          worker->watch_budget},
                         std::nullopt);
    if (step.result->superseded != 0)
        sessions_.supersede(step.result->superseded);
}

void Coordinator::count(const Step& step, std::chrono::steady_clock::time_point finished)
{
    if (!step.result)
        metrics_.limits.count(step.result.error().code);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(finished - step.submitted.at);
    ++metrics_.operations;
    metrics_.latency_us.add(static_cast<std::uint64_t>(took.count()));
    metrics_.rate.add(std::chrono::duration_cast<std::chrono::seconds>(finished.time_since_epoch()), 1);
}

/// The journal failed: the state goes back to what is durable, whoever waits is refused, and nothing is
/// written until it has recovered.
void Coordinator::take_back(const std::string& reason)
{
    failed_ = true;
    spdlog::error("{}: refusing writes until it works again", reason);
    engine_.set_read_only(true);
    for (auto batch = unreached_.rbegin(); batch != unreached_.rend(); ++batch)
        engine_.revert(std::move(batch->undo));
    journal_.rewind();
    while (!unreached_.empty()) {
        auto batch = std::move(unreached_.front());
        unreached_.pop_front();
        refuse(std::move(batch), {ErrorCode::storage_failed, reason});
    }
}

/// Answers the calls of a batch that was taken back. Looks are looked at again, and signs of life are taken
/// again; all else may rest on what is gone.
void Coordinator::refuse(Batch batch, const Error& error)
{
    for (auto& step : batch.steps) {
        if (!step.submitted.call)
            continue;
        const auto* command = std::get_if<Command>(&step.submitted.action);
        if (command && std::holds_alternative<RegisterWorker>(*command) && step.result) {
            const Worker* worker = engine_.store().workers().find(step.result->worker.view());
            if (!worker || worker->session != step.submitted.session)
                sessions_.bind(step.submitted.session, {});
        }
        if (command && (std::holds_alternative<SubscribeMessages>(*command) ||
                        std::holds_alternative<UnsubscribeMessages>(*command)))
            dispatcher_.take_back_topics(step.submitted.session);
        if (command && std::holds_alternative<Heartbeat>(*command)) {
            Effects none; // what would write is refused by now
            step.result = engine_.execute(*command, caller_of(step.submitted.session), batch.at, none);
        } else if (!std::holds_alternative<std::monostate>(step.submitted.action)) {
            step.result = tl::unexpected(error);
        }
        step.submitted.call->render(step.result, engine_.store(), context_of(step, batch));
        step.submitted.call->deliver();
        count(step, std::chrono::steady_clock::now());
    }
    resume(std::move(batch.awaiting));
}

/// The journal works again. Connections that ended meanwhile could not be written down: now they are.
void Coordinator::write_again()
{
    failed_ = false;
    spdlog::info("the state can be made durable again: taking writes");
    engine_.set_read_only(false);
    stir_dispatcher();
    std::vector<CloseSession> gone;
    for (const auto& [ordinal, worker] : engine_.store().workers().rows())
        if (worker.session != 0 && sessions_.worker_of(worker.session) != worker.id)
            gone.push_back({worker.id, worker.session});
    Batch batch;
    open(batch);
    for (const auto& closed : gone) {
        Step step{.submitted = {}, .result = engine_.execute(closed, {}, batch.at, batch.effects)};
        step.changes_before_reply = batch.effects.changes.size();
        end_step(std::move(step), batch);
    }
    close_batch(std::move(batch));
}

} // namespace coordination
