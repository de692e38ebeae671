#include "net/client/coordination_client.hpp"

#include <cmath>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "net/client/client_core.hpp"

namespace coordination {

namespace asio = boost::asio;
namespace json = boost::json;
using net_client::Reply;

CoordinationClient::CoordinationClient(const asio::any_io_executor& executor,
                                       CoordinationClientOptions options)
    : core_(std::make_shared<Core>(executor, std::nullopt, std::move(options)))
{
}

CoordinationClient::CoordinationClient(const asio::any_io_executor& executor,
                                       const asio::any_io_executor& handlers,
                                       CoordinationClientOptions options)
    : core_(std::make_shared<Core>(executor, handlers, std::move(options)))
{
}

CoordinationClient::~CoordinationClient()
{
    let_go();
}

void CoordinationClient::let_go()
{
    core_->let_go();
}

void CoordinationClient::on_task_assigned(std::function<void(AssignedTask)> handler)
{
    core_->events.task_assigned = std::move(handler);
}

void CoordinationClient::serve_tasks(std::function<asio::awaitable<TaskEnding>(AssignedTask)> handler)
{
    core_->events.serve_task = std::move(handler);
}

void CoordinationClient::on_task_cancelled(std::function<void(AssignedTask, std::string)> handler)
{
    core_->events.task_cancelled = std::move(handler);
}

void CoordinationClient::on_state_change(std::function<void(StateChange)> handler)
{
    core_->events.state_change = std::move(handler);
}

void CoordinationClient::on_state_gap(std::function<void(StateGap)> handler)
{
    core_->events.state_gap = std::move(handler);
}

void CoordinationClient::on_message(std::function<void(ReceivedMessage)> handler)
{
    core_->events.message = std::move(handler);
}

void CoordinationClient::serve_messages(std::function<asio::awaitable<void>(ReceivedMessage)> handler)
{
    core_->events.serve_message = std::move(handler);
}

void CoordinationClient::on_connected(std::function<void()> handler)
{
    core_->events.connected = std::move(handler);
}

void CoordinationClient::on_disconnected(std::function<void(CallError)> handler)
{
    core_->events.disconnected = std::move(handler);
}

void CoordinationClient::on_reconnecting(std::function<void(Reconnecting)> handler)
{
    core_->events.reconnecting = std::move(handler);
}

void CoordinationClient::on_reconnected(std::function<void()> handler)
{
    core_->events.reconnected = std::move(handler);
}

void CoordinationClient::on_registered(std::function<void(Registration)> handler)
{
    core_->events.registered = std::move(handler);
}

void CoordinationClient::on_heartbeat_ack(std::function<void(std::int64_t)> handler)
{
    core_->events.heartbeat_ack = std::move(handler);
}

void CoordinationClient::on_error(std::function<void(CallError)> handler)
{
    core_->events.error = std::move(handler);
}

ClientMetrics CoordinationClient::get_metrics() const
{
    return core_->metrics();
}

bool CoordinationClient::connected() const
{
    return core_->metrics().ready;
}

asio::any_io_executor CoordinationClient::get_executor() const
{
    return core_->strand();
}

CoordinationClient::Call CoordinationClient::connecting()
{
    return [](Core& core, Reply reply) { core.connect(std::move(reply)); };
}

CoordinationClient::Call CoordinationClient::disconnecting()
{
    return [](Core& core, Reply reply) { core.disconnect(std::move(reply)); };
}

CoordinationClient::Call CoordinationClient::updating(TaskRef task, std::string status, json::object data)
{
    return [task = std::move(task), status = std::move(status), data = std::move(data)](
               Core& core, Reply reply) { core.update(task, status, data, std::move(reply)); };
}

CoordinationClient::Call CoordinationClient::progressing(TaskRef task, double progress)
{
    json::object data;
    if (progress == std::trunc(progress) && std::abs(progress) < 1e15)
        data["progress"] = static_cast<std::int64_t>(progress); // 50, not 5E1
    else
        data["progress"] = progress;
    return updating(std::move(task), "in_progress", std::move(data));
}

CoordinationClient::Call CoordinationClient::ending(TaskRef task, TaskEnding ending)
{
    return [task = std::move(task), ending = std::move(ending)](Core& core, Reply reply) {
        core.end(task, ending, std::move(reply));
    };
}

CoordinationClient::Call CoordinationClient::subscribing(std::vector<std::string> topics,
                                                         SubscribeOptions options)
{
    return [list = json::array(topics.begin(), topics.end()), options](Core& core, Reply reply) {
        core.subscribe(list, options, std::move(reply));
    };
}

CoordinationClient::Call CoordinationClient::following(std::vector<std::string> topics, bool wanted)
{
    return [topics = std::move(topics), wanted](Core& core, Reply reply) {
        core.follow_messages(topics, wanted, std::move(reply));
    };
}

CoordinationClient::Call CoordinationClient::calling(json::object message)
{
    return [message = std::move(message)](Core& core, Reply reply) { core.call(message, std::move(reply)); };
}

CoordinationClient::Call CoordinationClient::registering()
{
    return [](Core& core, Reply reply) { core.register_http(std::move(reply)); };
}

CoordinationClient::Call CoordinationClient::unregistering()
{
    return [](Core& core, Reply reply) { core.unregister_http(std::move(reply)); };
}

CoordinationClient::Call CoordinationClient::ending_http(TaskRef task, TaskEnding ending)
{
    return [task = std::move(task), ending = std::move(ending)](Core& core, Reply reply) {
        core.end_http(task, ending, std::move(reply));
    };
}

CoordinationClient::Call CoordinationClient::getting(std::string target)
{
    return [target = std::move(target)](Core& core, Reply reply) { core.get(target, std::move(reply)); };
}

void CoordinationClient::begin(std::shared_ptr<Core> core, Call call, Reply reply)
{
    const auto strand = core->strand();
    asio::post(strand, [core = std::move(core), call = std::move(call), reply = std::move(reply)]() mutable {
        if (const auto gone = core->gone())
            reply(tl::unexpected(*gone)); // nobody is left who would end it
        else
            call(*core, std::move(reply));
    });
}

} // namespace coordination
