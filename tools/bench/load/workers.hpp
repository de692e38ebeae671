#pragma once

#include "bench/load/client.hpp"
#include "bench/load/measure.hpp"
#include "bench/load/options.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coordination::bench {

constexpr std::size_t worker_number_bytes = 5;
std::string worker_id(std::size_t number);
/// Writes the number as it stands at the end of the worker's id.
void write_worker_number(char* into, std::size_t number) noexcept;
/// The front of each task id of this run; no two runs have the same, so that one daemon can serve many.
const std::string& task_prefix();

/// A worker: registers itself, and beats when told to.
class WorkerLink : public WsLink {
public:
    WorkerLink(Loop& loop, const Options& options, std::size_t number);

    bool settled() const noexcept { return registered_; }
    void beat() { send_text(heartbeat_); }

protected:
    /// Whatever is not the answer to the registration; `type` is the message's.
    virtual void message(std::string_view type, std::string_view text) = 0;

private:
    void opened() override;
    void text(std::string_view payload) final;
    void lost(std::string_view why) override;

    std::string id_;
    std::string heartbeat_;
    bool registered_ = false;
};

/// Counts the changes that it is told of, or, where it is stalled, reads none of them.
class SubscriberLink final : public WsLink {
public:
    SubscriberLink(Loop& loop, const Options& options, bool stalled);

    bool settled() const noexcept { return subscribed_; }
    std::size_t seen() const noexcept { return seen_; }
    bool stalled() const noexcept { return stalled_; }

private:
    void opened() override;
    void text(std::string_view payload) override;
    void lost(std::string_view why) override;

    std::string subscribe_;
    bool stalled_;
    bool subscribed_ = false;
    std::size_t seen_ = 0;
};

using Subscribers = std::vector<std::unique_ptr<SubscriberLink>>;
/// `subscribers` that read and `stalled` that do not.
Subscribers subscribe(Loop& loop, const Options& options);
/// Notes how many notifications came.
void tell_of(const Subscribers& subscribers, Measure& measure);

/// `workers` of them, who wait for work that never comes.
std::vector<std::unique_ptr<WorkerLink>> idle_workers(Loop& loop, const Options& options);

/// Puts in the tasks that wait, and notes what memory each takes.
void preload(Loop& loop, const Options& options, Measure& measure);

/// Runs the loop until all of them are ready for work.
void settle(Loop& loop, const auto& links)
{
    const auto deadline = now() + 60'000'000'000;
    while (!std::ranges::all_of(links, [](const auto& link) { return link->settled(); })) {
        loop.turn(100'000'000);
        if (loop.woke() > deadline)
            give_up("connections that did not become ready within 60 s");
    }
}

} // namespace coordination::bench
