#include "net/embed/event_hub.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace coordination {

namespace asio = boost::asio;

EventHub::EventHub(const asio::any_io_executor& executor, std::size_t bytes_max)
    : bytes_max_(bytes_max),
      strand_(asio::make_strand(executor))
{
}

void EventHub::deliver_on(const asio::any_io_executor& executor)
{
    const std::lock_guard lock(mutex_);
    strand_ = asio::make_strand(executor);
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
    waiting_.push_back(std::move(event));
    if (waiting_.size() == 1)
        asio::post(strand_, [self = shared_from_this()] { self->deliver(); });
}

void EventHub::deliver()
{
    std::vector<Event> events;
    {
        const std::lock_guard lock(mutex_);
        events.swap(waiting_);
        bytes_ = 0;
        if (left_out_ != 0)
            events.push_back({.kind = EventKind::gap, .revision = std::exchange(left_out_, 0)});
    }
    for (const auto& event : events)
        tell(event);
}

/// A handler may add and remove handlers, itself too.
void EventHub::tell(const Event& event)
{
    std::vector<std::shared_ptr<const Handler>> handlers;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& listening : listeners_)
            if ((listening.kinds & bit(event.kind)) != 0)
                handlers.push_back(listening.handler);
    }
    for (const auto& handler : handlers)
        (*handler)(event);
}

asio::awaitable<void> EventHub::settled()
{
    const Strand behind_them = strand();
    co_await asio::post(behind_them, asio::use_awaitable);
}

EventHub::Strand EventHub::strand()
{
    const std::lock_guard lock(mutex_);
    return strand_;
}

} // namespace coordination
