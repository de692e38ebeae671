#include "core/bus_world.hpp"

#include <stdexcept>
#include <utility>

namespace coordination::testing {

using namespace std::chrono_literals;

BusWorld::BusWorld(const Limits& given)
    : limits(given),
      engine(std::make_unique<Engine>(limits)),
      office(std::make_unique<PostOffice>(limits))
{
}

Result BusWorld::call(const Command& command, const Caller& caller)
{
    auto result = carry_out(command, caller);
    deliver();
    return result;
}

Result BusWorld::carry_out(const Command& command, const Caller& caller)
{
    effects_.clear();
    auto result = engine->execute(command, caller, now, effects_);
    const auto changes = effects_.changes;
    for (const auto& post : effects_.posts) {
        on_post(post);
        office->post(post);
    }
    if (result)
        office->learn(command, *result, caller.session, changes);
    engine->settle(now, effects_);
    effects_.clear();
    return result;
}

Caller BusWorld::connect(std::string_view worker)
{
    Caller caller{.session = ++last_session_};
    office->open(caller.session);
    if (!worker.empty()) {
        const auto registered = carry_out(RegisterWorker{.id = WorkerId(worker)}, caller);
        if (!registered)
            throw std::logic_error("the worker was refused");
        caller.worker = WorkerId(worker);
    }
    open_[caller.session] = caller.worker;
    deliver();
    return caller;
}

void BusWorld::disconnect(const Caller& caller)
{
    office->close(caller.session);
    open_.erase(caller.session);
    arrived_.erase(caller.session);
    if (!caller.worker.empty())
        static_cast<void>(carry_out(CloseSession{caller.worker, caller.session}, {}));
    advance(0ms);
}

Result BusWorld::publish(std::string_view topic, PublishMessage more, const Caller& caller)
{
    more.topic = Text(topic);
    if (more.payload.empty())
        more.payload = Text("null");
    return call(more, caller);
}

Result BusWorld::subscribe(const Caller& caller, MessageTopics topics)
{
    return call(SubscribeMessages{std::move(topics)}, caller);
}

void BusWorld::advance(std::chrono::milliseconds time)
{
    const auto end = now + time;
    for (;;) {
        auto next = office->next_due();
        if (const auto other = engine->next_deadline(); other && (!next || *other < *next))
            next = other;
        if (!next || *next > end)
            break;
        now = std::max(now, *next);
        for (auto& burial : office->due(now, 16))
            static_cast<void>(carry_out(std::move(burial), {}));
        engine->expire(now, effects_);
        effects_.clear();
        deliver();
    }
    now = end;
    deliver();
}

void BusWorld::restart()
{
    auto& before = engine->store();
    auto after = std::make_unique<Engine>(limits);
    for (const auto& [ordinal, row] : before.workers().rows()) {
        Worker worker = row;
        worker.capabilities = after->store().capabilities().intern({});
        worker.online = false;
        worker.session = 0;
        after->store().restore(std::move(worker));
    }
    for (const auto& [ordinal, row] : before.messages().rows())
        after->store().restore(row);
    after->resume(before.revision(), now);
    office = std::make_unique<PostOffice>(limits);
    engine = std::move(after);
    office->resume(engine->store());
    open_.clear();
    arrived_.clear();
}

void BusWorld::deliver()
{
    while (delivering) {
        const auto session = office->ready();
        if (!session)
            return;
        const auto handout = office->next(*session, now);
        if (!handout)
            continue;
        const Arrival arrival{*session, handout->post->message, handout->attempt, handout->post.get()};
        arrived_[*session].push_back(arrival);
        on_arrival(arrival);
    }
}

std::vector<Arrival> BusWorld::arrivals(const Caller& caller)
{
    return std::exchange(arrived_[caller.session], {});
}

std::vector<std::string> BusWorld::payloads(const Caller& caller)
{
    std::vector<std::string> payloads;
    for (const auto& arrival : arrivals(caller))
        payloads.emplace_back(arrival.message.payload.view());
    return payloads;
}

std::vector<BusMessage> BusWorld::letters() const
{
    std::vector<BusMessage> letters;
    for (const auto& [ordinal, row] : engine->store().messages().rows())
        if (row.state == MessageState::dead)
            letters.push_back(row);
    return letters;
}

PublishMessage message(std::string_view payload, Priority priority, Guarantee guarantee)
{
    return {.payload = Text(payload), .priority = priority, .guarantee = guarantee};
}

PublishMessage to(std::string_view recipient, std::string_view payload, Guarantee guarantee)
{
    auto direct = message(payload, Priority::normal, guarantee);
    direct.recipient = WorkerId(recipient);
    return direct;
}

PublishMessage named(std::string_view id, std::string_view payload)
{
    auto once = message(payload, Priority::normal, Guarantee::exactly_once);
    once.id = MessageId(id);
    return once;
}

Limits with(const BusLimits& bus)
{
    Limits limits;
    limits.bus = bus;
    return limits;
}

} // namespace coordination::testing
