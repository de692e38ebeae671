#include "bench/load/client.hpp"
#include "bench/load/http.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/slots.hpp"
#include "bench/load/workers.hpp"

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace coordination::bench {

namespace {

constexpr unsigned assigned = 1;
constexpr unsigned completed = 2;

/// Hands in tasks; the replies come in the order of the requests.
class Producer final : public HttpLink {
public:
    Producer(Loop& loop, const Options& options, Slots& slots)
        : HttpLink(loop, options.http_port),
          slots_(slots),
          workers_(options.workers)
    {
        const auto worker =
            options.automatic ? std::string() : fmt::format(R"("workerId":"{}",)", worker_id(0));
        request_ = http_post(
            "/api/tasks/assign",
            fmt::format(R"({{"taskId":"{}{:{}}",{}"taskData":{{"title":"coordbench","payload":"{}"}}}})",
                        task_prefix(), "", key_bytes, worker, std::string(options.payload, 'x')));
        key_at_ = request_.find(task_prefix()) + task_prefix().size();
        if (!options.automatic)
            worker_at_ = request_.find(worker) + worker.size() - worker_number_bytes -
                         2; // before the quote and the comma
    }

    void assign(std::uint32_t slot, std::uint32_t ordinal)
    {
        write_key(request_.data() + key_at_, slot, ordinal);
        if (worker_at_ != 0)
            write_worker_number(request_.data() + worker_at_, ordinal % workers_);
        out() += request_;
        asked_.push_back(slot);
    }

private:
    void reply(int status, std::string_view body) override
    {
        if (asked_.empty())
            give_up("a reply to nothing");
        const auto slot = asked_.front();
        asked_.pop_front();
        if (status == 200 && body.starts_with(R"({"success":true)"))
            slots_.part_done(slot, assigned, loop().woke());
        else
            slots_.refused(slot, body);
    }

    Slots& slots_;
    std::size_t workers_;
    std::string request_;
    std::size_t key_at_ = 0;
    std::size_t worker_at_ = 0;
    std::deque<std::uint32_t> asked_;
};

/// Completes each task as soon as it is told of it, and asks for the outcome.
class Completer final : public WorkerLink {
public:
    Completer(Loop& loop, const Options& options, std::size_t number, Slots& slots, Measure& measure)
        : WorkerLink(loop, options, number),
          slots_(slots),
          measure_(measure),
          update_(fmt::format(
              R"({{"type":"task_update","taskId":"{}{:{}}","status":"completed","requestId":"{:{}}"}})",
              task_prefix(), "", key_bytes, "", key_bytes)),
          key_at_(update_.find(task_prefix()) + task_prefix().size()),
          request_at_(update_.size() - key_bytes - 2)
    {
    }

private:
    void message(std::string_view type, std::string_view text) override
    {
        if (type == "task_assigned") {
            const auto id = text_after(text, R"("id":")");
            if (id.size() != task_prefix().size() + key_bytes)
                return measure_.error(text);
            const auto key = id.substr(task_prefix().size());
            key.copy(update_.data() + key_at_, key_bytes);
            key.copy(update_.data() + request_at_, key_bytes);
            send_text(update_);
        } else if (type == "response") {
            const auto key = text_after(text, R"("requestId":")");
            if (text.substr(0, 100).find(R"("success":true)") == std::string_view::npos)
                measure_.error(text);
            slots_.part_done(key, completed, loop().woke());
        } else {
            measure_.error(text);
        }
    }

    Slots& slots_;
    Measure& measure_;
    std::string update_;
    std::size_t key_at_;
    std::size_t request_at_;
};

} // namespace

bool lifecycle(const Options& options)
{
    Loop loop;
    Measure measure(options);
    preload(loop, options, measure);
    Slots slots(options, measure, assigned | completed);
    std::vector<std::unique_ptr<Completer>> workers;
    for (std::size_t i = 0; i < options.workers; ++i)
        workers.push_back(std::make_unique<Completer>(loop, options, i, slots, measure));
    const auto subscribers = subscribe(loop, options);
    settle(loop, workers);
    std::vector<std::unique_ptr<Producer>> producers;
    for (std::size_t i = 0; i < options.producers; ++i)
        producers.push_back(std::make_unique<Producer>(loop, options, slots));

    run(loop, slots, measure, [&](std::uint32_t slot, std::uint32_t ordinal) {
        producers[slot / options.in_flight]->assign(slot, ordinal);
    });
    tell_of(subscribers, measure);
    return measure.report();
}

} // namespace coordination::bench
