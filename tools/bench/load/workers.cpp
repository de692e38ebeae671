#include "bench/load/workers.hpp"

#include "bench/load/http.hpp"
#include "bench/load/slots.hpp"

#include <fmt/format.h>

namespace coordination::bench {

std::string worker_id(std::size_t number)
{
    return fmt::format("worker-{:0{}}", number, worker_number_bytes);
}

void write_worker_number(char* into, std::size_t number) noexcept
{
    for (auto at = worker_number_bytes; at > 0; --at, number /= 10)
        into[at - 1] = static_cast<char>('0' + number % 10);
}

const std::string& task_prefix()
{
    static const std::string prefix = fmt::format("task-{:08x}-", static_cast<std::uint32_t>(now() >> 10));
    return prefix;
}

WorkerLink::WorkerLink(Loop& loop, const Options& options, std::size_t number)
    : WsLink(loop, options.ws_port),
      id_(worker_id(number)),
      heartbeat_(fmt::format(R"({{"type":"heartbeat","workerId":"{}"}})", id_))
{
}

void WorkerLink::opened()
{
    send_text(fmt::format(
        R"({{"type":"register","workerId":"{}","capabilities":["development"],"metadata":{{}}}})", id_));
}

void WorkerLink::text(std::string_view payload)
{
    const auto type = text_after(payload, R"("type":")");
    if (type == "registered")
        registered_ = true;
    else
        message(type, payload);
}

void WorkerLink::lost(std::string_view why)
{
    give_up(fmt::format("{} lost its connection: {}", id_, why));
}

SubscriberLink::SubscriberLink(Loop& loop, const Options& options, bool stalled)
    : WsLink(loop, options.ws_port, stalled ? 4096 : 0),
      subscribe_(fmt::format(R"({{"type":"subscribe","topics":["{}"],"requestId":"s"}})", options.topics)),
      stalled_(stalled)
{
}

void SubscriberLink::opened()
{
    send_text(subscribe_);
}

void SubscriberLink::text(std::string_view payload)
{
    const auto type = text_after(payload, R"("type":")");
    if (type == "state_change") {
        ++seen_;
    } else if (type == "response") {
        subscribed_ = true;
        if (stalled_)
            read_no_more();
    } else {
        give_up(fmt::format("a subscriber was told {}", payload));
    }
}

void SubscriberLink::lost(std::string_view why)
{
    if (!stalled_)
        give_up(fmt::format("a subscriber lost its connection: {}", why));
}

Subscribers subscribe(Loop& loop, const Options& options)
{
    Subscribers links;
    for (std::size_t i = 0; i < options.subscribers + options.stalled; ++i)
        links.push_back(std::make_unique<SubscriberLink>(loop, options, i >= options.subscribers));
    settle(loop, links);
    return links;
}

void tell_of(const Subscribers& subscribers, Measure& measure)
{
    if (subscribers.empty())
        return;
    std::size_t seen = 0;
    std::size_t dropped = 0;
    for (const auto& link : subscribers) {
        seen += link->stalled() ? 0 : link->seen();
        dropped += link->alive() ? 0 : 1;
    }
    measure.note("notifications", static_cast<double>(seen));
    measure.note("stalledDropped", static_cast<double>(dropped));
}

namespace {

/// Hands in tasks that ask for what no worker has.
class Filler final : public HttpLink {
public:
    Filler(Loop& loop, const Options& options)
        : HttpLink(loop, options.http_port),
          wanted_(options.waiting),
          request_(http_post(
              "/api/tasks/submit",
              fmt::format(
                  R"({{"taskId":"waiting-{:{}}","taskData":{{"capabilities":["none"],"payload":"{}"}}}})", "",
                  key_bytes, std::string(options.payload, 'x')))),
          key_at_(request_.find("waiting-") + 8)
    {
    }

    bool settled() const noexcept { return answered_ == wanted_; }
    void pump()
    {
        constexpr std::size_t in_flight = 128;
        for (; asked_ < wanted_ && asked_ - answered_ < in_flight; ++asked_) {
            write_key(request_.data() + key_at_, 0, static_cast<std::uint32_t>(asked_));
            out() += request_;
        }
    }

private:
    void reply(int status, std::string_view body) override
    {
        if (status != 200 && status != 201)
            give_up(fmt::format("a task was refused: {}", body));
        ++answered_;
        pump();
    }

    std::size_t wanted_;
    std::size_t asked_ = 0;
    std::size_t answered_ = 0;
    std::string request_;
    std::size_t key_at_;
};

class IdleWorker final : public WorkerLink {
public:
    using WorkerLink::WorkerLink;

private:
    void message(std::string_view /*type*/, std::string_view text) override
    {
        give_up(fmt::format("an idle worker was told {}", text));
    }
};

} // namespace

std::vector<std::unique_ptr<WorkerLink>> idle_workers(Loop& loop, const Options& options)
{
    std::vector<std::unique_ptr<WorkerLink>> links;
    for (std::size_t i = 0; i < options.workers; ++i)
        links.push_back(std::make_unique<IdleWorker>(loop, options, i));
    settle(loop, links);
    return links;
}

void preload(Loop& loop, const Options& options, Measure& measure)
{
    if (options.waiting == 0)
        return;
    const auto before = use_of(options.pid).rss_bytes;
    const auto started = now();
    Filler filler(loop, options);
    filler.pump();
    while (!filler.settled())
        loop.turn(100'000'000);
    const auto count = static_cast<double>(options.waiting);
    measure.note("preloadPerSecond", count * 1e9 / static_cast<double>(now() - started));
    measure.note("bytesPerWaitingTask", static_cast<double>(use_of(options.pid).rss_bytes - before) / count);
}

} // namespace coordination::bench
