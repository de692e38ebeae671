#pragma once

#include "core/bus/post_office.hpp"
#include "core/engine.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace coordination::testing {

/// One message that reached a receiver.
struct Arrival {
    SessionId session = 0;
    BusMessage message{};
    std::uint32_t attempt = 0;
    const Post* post = nullptr; ///< tells apart those that are no rows
};

/// An engine and a post office as the daemon joins them, with a clock that moves when told to and connections
/// that take all they are given.
class BusWorld {
public:
    explicit BusWorld(const Limits& limits = {});

    Result call(const Command& command, const Caller& caller = {});
    /// A connection; with a worker's name, one that has registered.
    Caller connect(std::string_view worker = "");
    void disconnect(const Caller& caller);
    Result publish(std::string_view topic, PublishMessage more = {}, const Caller& caller = {});
    Result subscribe(const Caller& caller, MessageTopics topics);
    Result ack(const Caller& caller, const MessageId& id) { return call(AckMessage{id}, caller); }
    /// Lets time pass, doing what is due when it is.
    void advance(std::chrono::milliseconds time);
    /// The daemon is killed and started again over what it has made durable; every connection is gone.
    void restart();

    /// What has reached this connection since the last call.
    std::vector<Arrival> arrivals(const Caller& caller);
    std::vector<std::string> payloads(const Caller& caller);
    std::vector<BusMessage> letters() const;
    const MessageQuota& quota() { return *engine->store().message_quota(); }

    Limits limits;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<PostOffice> office;
    Timestamp now{std::chrono::milliseconds{1'764'000'000'000}};
    bool delivering = true; ///< false: nobody takes anything
    std::function<void(const Arrival&)> on_arrival = [](const Arrival&) {};
    std::function<void(const PostPtr&)> on_post = [](const PostPtr&) {};

private:
    Result carry_out(const Command& command, const Caller& caller);
    void deliver();

    Effects effects_;
    SessionId last_session_ = 0;
    std::map<SessionId, WorkerId> open_;
    std::map<SessionId, std::vector<Arrival>> arrived_;
};

PublishMessage message(std::string_view payload, Priority priority = Priority::normal,
                       Guarantee guarantee = Guarantee::at_least_once);
PublishMessage to(std::string_view recipient, std::string_view payload,
                  Guarantee guarantee = Guarantee::at_least_once);
/// Exactly once, under this id.
PublishMessage named(std::string_view id, std::string_view payload);

Limits with(const BusLimits& bus);

} // namespace coordination::testing
