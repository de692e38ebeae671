#include "net/manual_clock.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace coordination {

/// One time at which the clock stops. Goes on when all of the work has been caught up.
class ManualClock::Stop {
public:
    Stop(std::size_t awaited, std::function<void(std::optional<Timestamp>)> go_on)
        : awaited_(awaited),
          go_on_(std::move(go_on))
    {
    }

    void caught_up(std::optional<Timestamp> next)
    {
        {
            const std::lock_guard lock(mutex_);
            if (next && (!next_ || *next < *next_))
                next_ = next;
            if (--awaited_ > 0)
                return;
        }
        go_on_(next_);
    }

private:
    std::mutex mutex_;
    std::size_t awaited_;
    std::optional<Timestamp> next_;
    std::function<void(std::optional<Timestamp>)> go_on_;
};

bool ManualClock::drives(std::weak_ptr<DueWork> work)
{
    const std::lock_guard lock(mutex_);
    std::erase_if(work_, [](const auto& known) { return known.expired(); });
    work_.push_back(std::move(work));
    return true;
}

std::vector<std::shared_ptr<DueWork>> ManualClock::work()
{
    std::vector<std::shared_ptr<DueWork>> all;
    const std::lock_guard lock(mutex_);
    for (const auto& known : work_)
        if (auto work = known.lock())
            all.push_back(std::move(work));
    return all;
}

void ManualClock::go(Timestamp target, Done done)
{
    const auto all = work();
    if (all.empty()) {
        now_ = target;
        done(target);
        return;
    }
    const auto go_on = [this, target, done = std::move(done)](std::optional<Timestamp> next) {
        const auto present = now();
        if (present >= target) {
            done(present);
            return;
        }
        // What is still due now cannot be done at present (the disk refuses): later, not for ever at this time.
        now_ = next && *next > present ? std::min(*next, target) : target;
        go(target, done);
    };
    const auto stop = std::make_shared<Stop>(all.size(), go_on);
    for (const auto& work : all)
        work->catch_up([stop](std::optional<Timestamp> next) { stop->caught_up(next); });
}

} // namespace coordination
