#include "net/client/client_core.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/serialize.hpp>

#include "net/client/parse_object.hpp"
#include "net/client/task_frames.hpp"
#include "net/rethrow.hpp"

namespace coordination::net_client {

namespace asio = boost::asio;
namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

Answer answer_in(const tl::expected<HttpResponse, ClientError>& response)
{
    if (!response)
        return tl::unexpected(call_error_from(response.error()));
    auto body = parse_object(response->body);
    if (!body)
        return tl::unexpected(CallError{.kind = CallErrorKind::malformed,
                                        .message = "HTTP status " + std::to_string(response->status) +
                                                   " with a body that is no JSON object"});
    if (!response->ok())
        return tl::unexpected(refusal_in(*body));
    return std::move(*body);
}

} // namespace

/// Each call has a connection to itself; those that are idle are used again.
asio::awaitable<void> ClientCore::request(std::shared_ptr<ClientCore> self, http::verb method,
                                          std::string target, std::string body,
                                          std::function<void(Answer&)> then, Reply reply)
{
    constexpr std::size_t idle_max = 2;
    if (const auto gone = self->gone())
        co_return reply(tl::unexpected(*gone));
    std::unique_ptr<HttpClient> client;
    if (self->idle_http_.empty()) {
        client = std::make_unique<HttpClient>(self->strand_, self->targets_->http);
    } else {
        client = std::move(self->idle_http_.back());
        self->idle_http_.pop_back();
    }
    self->busy_http_.insert(client.get());
    const auto response = co_await client->request(method, std::move(target), std::move(body));
    self->busy_http_.erase(client.get());
    auto answer = answer_in(response);
    if (response && self->idle_http_.size() < idle_max)
        self->idle_http_.push_back(std::move(client));
    if (then)
        then(answer);
    reply(std::move(answer));
}

void ClientCore::request(http::verb method, std::string target, std::string body,
                         std::function<void(Answer&)> then, Reply reply)
{
    if (!targets_)
        return reply(tl::unexpected(targets_.error()));
    asio::co_spawn(strand_,
                   request(shared_from_this(), method, std::move(target), std::move(body), std::move(then),
                           std::move(reply)),
                   rethrow);
}

void ClientCore::get(std::string target, Reply reply)
{
    request(http::verb::get, std::move(target), {}, {}, std::move(reply));
}

void ClientCore::register_http(Reply reply)
{
    const auto then = [this](Answer& answer) { // the call keeps this alive
        if (!answer)
            return;
        signed_off_ = false;
        if (ready_)
            send(register_frame()); // so that it is this connection that speaks for the worker
    };
    request(http::verb::post, "/api/workers/register",
            json::serialize(json::object{{"workerId", options_.worker_id},
                                         {"capabilities", json::value_from(options_.capabilities)},
                                         {"metadata", options_.metadata}}),
            then, std::move(reply));
}

/// The daemon gives this worker's tasks to others at once, so their handlers are told to stop.
void ClientCore::unregister_http(Reply reply)
{
    signed_off_ = true;                        // no heartbeat meanwhile may bring it back
    const auto then = [this](Answer& answer) { // the call keeps this alive
        if (answer)
            abandon_all({.kind = CallErrorKind::lease_lost, .message = "this worker has unregistered"});
        else
            signed_off_ = false;
    };
    request(http::verb::post, "/api/workers/unregister",
            json::serialize(json::object{{"workerId", options_.worker_id}}), then, std::move(reply));
}

void ClientCore::end_http(const TaskRef& task, TaskEnding ending, Reply reply)
{
    const auto told = ending_body(task.id, ending);
    json::object body{{"taskId", task.id}};
    const bool completed = ending.has_value();
    if (completed)
        body["result"] = std::move(*ending);
    else
        body["error"] = std::move(ending.error());
    const auto* held = book_.find(task);
    const auto* past = held ? nullptr : book_.find_past(task);
    if ((!held && task.attempt && !past) || (past && !past->ending))
        return reply(tl::unexpected(not_held(task)));
    std::optional<Lease> lease;
    if (held || past)
        lease = held ? held->lease : past->lease;
    if (lease) {
        body["attempt"] = lease->attempt;
        body["fence"] = lease->fence;
    } else if (!options_.worker_id.empty()) {
        body["workerId"] = options_.worker_id;
    }
    const auto then = [this, lease, told](Answer& answer) { // the call keeps this alive
        if (!answer && lease_is_lost(answer.error().code)) {
            answer.error().kind = CallErrorKind::lease_lost;
            if (lease)
                abandon(*lease, answer.error());
        }
        if (answer && lease && book_.find(*lease)) {
            count_ended(*answer);
            book_.end(*lease, told);
        }
    };
    request(http::verb::post, completed ? "/api/tasks/complete" : "/api/tasks/fail", json::serialize(body),
            then, std::move(reply));
}

} // namespace coordination::net_client
