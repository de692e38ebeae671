#include "client/probe.hpp"

#include "support/deadline.hpp"

#include <algorithm>
#include <stdexcept>

namespace coordination::testing {

void Diary::note(std::string entry)
{
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
    changed_.notify_all();
}

void Diary::await(std::string_view entry)
{
    std::unique_lock lock(mutex_);
    const auto find = [&] { return std::ranges::find(entries_, entry); };
    if (!changed_.wait_for(lock, patience, [&] { return find() != entries_.end(); }))
        throw std::runtime_error("no \"" + std::string(entry) + "\" but" + show());
    entries_.erase(find());
}

std::string Diary::await_beginning(std::string_view beginning)
{
    std::unique_lock lock(mutex_);
    const auto find = [&] {
        return std::ranges::find_if(entries_,
                                    [&](const std::string& entry) { return entry.starts_with(beginning); });
    };
    if (!changed_.wait_for(lock, patience, [&] { return find() != entries_.end(); }))
        throw std::runtime_error("no \"" + std::string(beginning) + "…\" but" + show());
    auto entry = *find();
    entries_.erase(find());
    return entry;
}

std::size_t Diary::count(std::string_view beginning) const
{
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [&](const std::string& entry) { return entry.starts_with(beginning); }));
}

std::string Diary::show() const
{
    std::string all;
    for (const auto& entry : entries_)
        all += "\n    " + entry;
    return all.empty() ? " nothing" : all;
}

CoordinationClientOptions Probe::options(std::uint16_t ws_port, std::uint16_t http_port)
{
    CoordinationClientOptions options;
    options.worker_id = "w1";
    options.capabilities = {"a", "b"};
    options.ws_url = "ws://127.0.0.1:" + std::to_string(ws_port);
    options.http_url = "http://127.0.0.1:" + std::to_string(http_port);
    options.reconnect_interval = std::chrono::milliseconds{20};
    options.reconnect_interval_max = std::chrono::milliseconds{20};
    options.close_timeout = std::chrono::milliseconds{300};
    return options;
}

Probe::Probe(CoordinationClientOptions options) : client_(std::move(options))
{
    client_->on_task_assigned([this](const AssignedTask& task) { on_task(task); });
    client_->on_task_cancelled([this](const AssignedTask& task, const std::string& reason) {
        diary.note("cancelled " + task.id + "/" + std::to_string(task.attempt) + " " + reason);
    });
    client_->on_connected([this] { diary.note("connected"); });
    client_->on_disconnected([this](const CallError&) { diary.note("disconnected"); });
    client_->on_reconnecting([this](Reconnecting) { diary.note("reconnecting"); });
    client_->on_reconnected([this] { diary.note("reconnected"); });
    client_->on_registered([this](const Registration& told) { diary.note("registered " + told.worker_id); });
    client_->on_heartbeat_ack([this](std::int64_t) { diary.note("heartbeat_ack"); });
    client_->on_error(
        [this](const CallError& error) { diary.note("error " + error.code + " " + error.message); });
    client_->on_state_gap([this](const StateGap& gap) {
        diary.note("gap " + std::to_string(gap.from) + "-" + std::to_string(gap.to) + " " +
                   std::to_string(gap.kept) + " of " + std::to_string(gap.changes));
    });
    client_->on_state_change([this](const StateChange& change) {
        diary.note("change " + change.collection + ":" + change.operation + ":" + change.key + "@" +
                   std::to_string(change.revision));
    });
}

Probe::~Probe()
{
    stops_.clear(); // none fires for the client's end
}

void Probe::on_task(const AssignedTask& task)
{
    const auto name = task.id + "/" + std::to_string(task.attempt);
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(task);
        stops_.emplace_back(task.stop, [this, name] { diary.note("stopped " + name); });
    }
    diary.note("task " + name);
}

AssignedTask Probe::await_task(std::string_view id, int attempt)
{
    diary.await("task " + std::string(id) + "/" + std::to_string(attempt));
    const std::lock_guard lock(mutex_);
    const auto task = std::ranges::find_if(
        tasks_, [&](const AssignedTask& given) { return given.id == id && given.attempt == attempt; });
    return *task;
}

Answer outcome(std::future<Answer>& call)
{
    if (call.wait_for(patience) != std::future_status::ready)
        throw std::runtime_error("the call is not answered");
    return call.get();
}

boost::json::object success(std::future<Answer> call)
{
    auto answer = outcome(call);
    if (!answer)
        throw std::runtime_error("refused: " + answer.error().code + " " + answer.error().message);
    return std::move(*answer);
}

CallError failure(std::future<Answer> call)
{
    auto answer = outcome(call);
    if (answer)
        throw std::runtime_error("success: " + boost::json::serialize(*answer));
    return answer.error();
}

bool waits(const std::future<Answer>& call)
{
    return call.wait_for(std::chrono::seconds{0}) != std::future_status::ready;
}

} // namespace coordination::testing
