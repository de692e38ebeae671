#pragma once

#include "coordination/daemon.hpp"
#include "support/deadline.hpp"

#include <boost/asio/use_future.hpp>

#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace coordination::testing {

/// What the future holds; a test that waits for something that never comes fails.
template <class T>
T wait(std::future<T> future)
{
    if (future.wait_for(patience) != std::future_status::ready)
        throw std::runtime_error("it did not come");
    return future.get();
}

template <class Request>
auto ask(Daemon& daemon, Request request)
{
    return wait(daemon.call(std::move(request), boost::asio::use_future));
}

/// Throws unless the daemon agreed.
template <class Request>
typename Request::Reply must(Daemon& daemon, Request request)
{
    auto reply = ask(daemon, std::move(request));
    if (!reply)
        throw std::runtime_error(reply.error().message);
    return *std::move(reply);
}

inline tl::expected<Done, Error> assign(Daemon& daemon, std::string task,
                                        std::optional<std::string> worker = {}, std::string data = "{}")
{
    return wait(
        daemon.assign_task(std::move(task), std::move(worker), std::move(data), boost::asio::use_future));
}

inline tl::expected<void, std::string> stop(Daemon& daemon)
{
    return wait(daemon.stop(boost::asio::use_future));
}

inline void must_start(Daemon& daemon)
{
    if (const auto started = daemon.start(); !started)
        throw std::runtime_error(started.error());
}

/// In memory, without ports.
inline DaemonOptions quiet()
{
    DaemonOptions options;
    options.persistence = Persistence::memory_only;
    options.listen = false;
    return options;
}

/// A daemon on a thread of its own, whose time goes as told.
struct Timed {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Daemon daemon;

    explicit Timed(DaemonOptions options = quiet()) : daemon((options.clock = clock, std::move(options))) {}

    void advance(std::chrono::milliseconds by) { wait(clock->advance(by, boost::asio::use_future)); }
    TaskView task(std::string id) { return must(daemon, request::FindTask{std::move(id)}); }
};

/// What a daemon's handlers are told, as "task-completed t1 w1".
class Heard {
public:
    Heard(Daemon& daemon, std::initializer_list<EventKind> kinds)
    {
        daemon.on(kinds, [this](const Event& event) {
            const std::lock_guard lock(mutex_);
            events_.push_back(event);
        });
    }

    std::vector<Event> events()
    {
        const std::lock_guard lock(mutex_);
        return events_;
    }

    std::vector<std::string> lines()
    {
        std::vector<std::string> lines;
        for (const auto& event : events()) {
            std::string line(name_of(event.kind));
            for (const auto& id : {event.task_id, event.worker_id})
                if (!id.empty())
                    line += ' ' + id;
            lines.push_back(line);
        }
        return lines;
    }

private:
    std::mutex mutex_;
    std::vector<Event> events_;
};

inline constexpr std::initializer_list<EventKind> all_but_changes{
    EventKind::worker_registered, EventKind::worker_unregistered, EventKind::worker_offline,
    EventKind::task_assigned,     EventKind::task_completed,      EventKind::task_failed,
    EventKind::task_cancelled};

} // namespace coordination::testing
