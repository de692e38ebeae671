#include "net/embed/event_hub.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <ranges>
#include <utility>

namespace coordination {

namespace asio = boost::asio;

namespace {

constexpr int calls_a_turn = 256; ///< of handlers, before others on the executor have theirs

} // namespace

/// Somebody delivers, as long as it lives. However that ends, what is left is delivered by another.
class EventHub::Turn {
public:
    explicit Turn(EventHub& hub) noexcept : hub_(hub) {}
    ~Turn()
    {
        const std::lock_guard lock(hub_.mutex_);
        hub_.delivering_ = false;
        if (!hub_.is_done())
            hub_.schedule();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    EventHub& hub_;
};

EventHub::EventHub(const asio::any_io_executor& executor, std::size_t bytes_max)
    : bytes_max_(bytes_max),
      executor_(executor)
{
}

void EventHub::deliver_on(const asio::any_io_executor& executor)
{
    const std::lock_guard lock(mutex_);
    executor_ = executor;
    ++turn_; // whoever delivers stops behind the handler that it has called
    if (std::exchange(scheduled_, false))
        schedule();
}

std::uint64_t EventHub::fresh_id()
{
    const std::lock_guard lock(mutex_);
    return ++last_id_;
}

std::uint64_t EventHub::add(std::span<const EventKind> kinds, Handler handler)
{
    std::uint32_t mask = bit(EventKind::gap); // whoever hears of anything hears of what was left out
    for (const auto kind : kinds)
        mask |= bit(kind);
    const std::lock_guard lock(mutex_);
    listeners_.push_back({++last_id_, mask, std::make_shared<const Handler>(std::move(handler))});
    recount();
    return last_id_;
}

void EventHub::remove(std::uint64_t id)
{
    const std::lock_guard lock(mutex_);
    std::erase_if(listeners_, [id](const Listening& listening) { return listening.id == id; });
    recount();
}

void EventHub::recount()
{
    std::uint32_t wanted = 0;
    for (const auto& listening : listeners_)
        wanted |= listening.kinds;
    wanted_ = wanted;
}

void EventHub::push(Event event, std::size_t bytes)
{
    const std::lock_guard lock(mutex_);
    if (left_out_ != 0 || (bytes_ > 0 && bytes_ + bytes > bytes_max_)) {
        left_out_ = event.revision; // all until the handlers have caught up, so that one gap tells of all
        return;
    }
    bytes_ += bytes;
    waiting_.emplace_back(Waiting{std::move(event), bytes});
    schedule();
}

bool EventHub::is_done() const noexcept
{
    return waiting_.empty() && untold_.empty() && left_out_ == 0;
}

bool EventHub::is_idle()
{
    const std::lock_guard lock(mutex_);
    return !delivering_ && is_done();
}

void EventHub::schedule()
{
    if (delivering_ || std::exchange(scheduled_, true))
        return;
    asio::post(executor_, [self = shared_from_this(), turn = ++turn_] { self->deliver(turn); });
}

void EventHub::deliver(std::uint64_t turn)
{
    {
        const std::lock_guard lock(mutex_);
        if (turn != turn_)
            return; // another executor has taken over
        scheduled_ = false;
        delivering_ = true;
    }
    const Turn until_the_end(*this);
    for (int calls = 0; calls < calls_a_turn; ++calls) {
        auto [handler, job] = next(turn);
        if (handler)
            (*handler)(told_);
        else if (job)
            std::move (*job)();
        else
            return;
    }
}

/// A handler may add and remove handlers, itself too.
EventHub::Next EventHub::next(std::uint64_t turn)
{
    const std::lock_guard lock(mutex_);
    if (turn != turn_)
        return {};
    while (untold_.empty()) {
        if (left_out_ != 0 && waiting_.empty())
            add_gap();
        if (waiting_.empty())
            return {};
        auto first = std::move(waiting_.front());
        waiting_.pop_front();
        if (auto* job = std::get_if<Waiter<>>(&first))
            return {.job = std::move(*job)};
        auto& [event, bytes] = std::get<Waiting>(first);
        bytes_ -= bytes;
        told_ = std::move(event);
        for (const auto& listening : listeners_ | std::views::reverse)
            if ((listening.kinds & bit(told_.kind)) != 0)
                untold_.push_back(listening.handler);
    }
    auto handler = std::move(untold_.back());
    untold_.pop_back();
    return {.handler = std::move(handler)};
}

void EventHub::add_gap()
{
    waiting_.emplace_back(Waiting{{.kind = EventKind::gap, .revision = std::exchange(left_out_, 0)}, 0});
}

asio::awaitable<void> EventHub::settled()
{
    const auto start = [this](auto handler) {
        const auto executor = asio::get_associated_executor(handler);
        Waiter<> done(
            [executor, handler = std::move(handler)]() mutable { asio::post(executor, std::move(handler)); });
        if (is_idle())
            std::move(done)();
        else
            run(std::move(done));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
}

void EventHub::run(Waiter<> job)
{
    const std::lock_guard lock(mutex_);
    if (left_out_ != 0)
        add_gap();
    waiting_.emplace_back(std::move(job));
    schedule();
}

} // namespace coordination
