#include "core/bus_histories.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

namespace coordination::testing {

using namespace std::chrono_literals;

Limits BusHistories::limits()
{
    Limits limits;
    limits.aging = 500ms;
    limits.heartbeat_timeout = 24h;
    limits.bus.ack_timeout = 200ms;
    limits.bus.dedup_window = 500ms;
    limits.bus.in_flight_max = 5;
    limits.bus.dead_letters_max = 100'000;
    return limits;
}

bool BusHistories::matches(const std::string& pattern, const std::string& topic)
{
    if (pattern == "*" || pattern == topic)
        return true;
    const auto colon = topic.find(':');
    if (colon == std::string::npos)
        return false;
    return pattern == topic.substr(0, colon) + ":*" || pattern == "*:" + topic.substr(colon + 1);
}

BusHistories::Client& BusHistories::client_of(SessionId session)
{
    for (auto& client : clients_)
        if (client.caller.session == session)
            return client;
    throw std::logic_error("a message went out over a connection that is gone");
}

/// Ids are used again; the sender, which the bus hands on as it came, tells which publication it was.
BusHistories::Sent& BusHistories::sent(const Text& sender)
{
    return all_.at(std::stoul(std::string(sender.view())));
}

void BusHistories::publish()
{
    static const std::vector<std::string> topics{"a", "a:b", "a:c", "b:b"};
    const auto topic = topics[below(topics.size())];
    PublishMessage command{.priority = static_cast<Priority>(below(4)),
                           .guarantee = static_cast<Guarantee>(below(3)),
                           .max_retries = static_cast<std::uint32_t>(below(4))};
    std::string recipient;
    if (below(3) == 0)
        recipient = some_worker();
    command.recipient = WorkerId(std::string_view(recipient));
    command.sender = Text(std::to_string(all_.size()));
    const bool named = command.guarantee == Guarantee::exactly_once;
    const auto id = named ? "id" + std::to_string(below(30)) : std::string{};
    command.id = MessageId(std::string_view(id));
    if (below(3) == 0)
        command.ttl = std::chrono::milliseconds(1 + below(3000));

    const auto pending = [&](const Sent& other) { return other.id == id && waits(other); };
    const bool duplicate = named && (std::ranges::any_of(all_, pending) ||
                                     (remembered_until_.contains(id) && remembered_until_[id] > world_.now));
    Sent one;
    one.guarantee = command.guarantee;
    one.max_retries = command.max_retries;
    if (!recipient.empty())
        one.owed[recipient];
    for (const auto& [subscriber, patterns] : topics_)
        if (recipient.empty())
            if (std::ranges::any_of(patterns, [&](const auto& pattern) { return matches(pattern, topic); }))
                one.owed[subscriber].socket = subscriber.starts_with("socket");
    one.expires = world_.now + command.ttl.value_or(limits().bus.message_ttl);
    world_.delivering = false; // nothing arrives before the model knows of it
    posted_ = false;
    const auto result = world_.publish(topic, command);
    world_.delivering = true;
    if (!recipient.empty() && !known_.contains(recipient)) {
        CHECK(result.error().code == ErrorCode::worker_not_found);
        return;
    }
    REQUIRE(result);
    CHECK(result->duplicate == duplicate);
    CHECK(posted_ == !duplicate);
    if (duplicate)
        return;
    one.id = std::string(result->message.view());
    const BusMessage* row = world_.engine->store().messages().find(one.id);
    const bool kept = std::ranges::any_of(one.owed, [](const auto& owed) { return !owed.second.socket; });
    CHECK((row != nullptr) == (command.guarantee != Guarantee::at_most_once && (kept || named)));
    if (row && row->state == MessageState::done)
        remembered_until_[one.id] = world_.now + limits().bus.dedup_window;
    all_.push_back(std::move(one));
    world_.advance(0ms);
}

void BusHistories::arrive(const Arrival& arrival)
{
    if (arrival.message.state == MessageState::dead)
        return;
    auto& client = client_of(arrival.session);
    Sent& one = sent(arrival.message.sender);
    INFO(one.id << " at " << client.name);
    const auto entry = one.owed.find(client.name);
    REQUIRE(entry != one.owed.end());
    Owed& owed = entry->second;
    CHECK_FALSE(owed.acked);
    CHECK_FALSE(owed.lettered);
    CHECK(world_.now < one.expires);
    CHECK(arrival.attempt == owed.attempt + 1);
    CHECK(arrival.attempt <= one.max_retries + 1); // whatever became of its connections
    owed.attempt = arrival.attempt;
    ++owed.arrived;
    if (one.guarantee == Guarantee::at_most_once) {
        CHECK(owed.arrived == 1);
        owed.acked = true;
        return;
    }
    client.unacked.push_back(arrival.message.id);
}

void BusHistories::acknowledge(Client& client, const MessageId& id)
{
    for (const auto& one : all_) // from a socket it counts for the window once all workers have it
        if (one.id == id.view() && one.guarantee == Guarantee::exactly_once &&
            client.name.starts_with("socket") && waits(one) && !waits_for_workers(one))
            remembered_until_[one.id] = world_.now + limits().bus.dedup_window;
    for (auto& one : all_) {
        const auto owed = one.owed.find(client.name);
        if (one.id != id.view() || owed == one.owed.end() || owed->second.lettered || owed->second.closed ||
            one.guarantee == Guarantee::at_most_once)
            continue;
        const bool last = !owed->second.acked && !owed->second.socket;
        owed->second.mistaken = owed->second.mistaken || owed->second.arrived == 0;
        owed->second.acked = true;
        if (last && one.guarantee == Guarantee::exactly_once && !waits_for_workers(one))
            remembered_until_[one.id] = world_.now + limits().bus.dedup_window;
    }
    REQUIRE(world_.ack(client.caller, id));
}

void BusHistories::acknowledge()
{
    Client* client = some_client();
    if (!client || client->unacked.empty())
        return;
    const auto at = client->unacked.begin() + static_cast<std::ptrdiff_t>(below(client->unacked.size()));
    const auto id = *at;
    if (below(5) != 0) // else it is acknowledged once more some time
        client->unacked.erase(at);
    acknowledge(*client, id);
}

void BusHistories::connect()
{
    const bool socket = below(4) == 0;
    const auto name = socket ? std::string{} : some_worker();
    if (!socket)
        std::erase_if(clients_, [&](const Client& client) { return client.name == name; }); // superseded
    known_.insert(name);
    world_.delivering = false;
    const auto caller = world_.connect(name);
    clients_.push_back({socket ? "socket-" + std::to_string(caller.session) : name, caller, {}});
    world_.delivering = true;
    world_.advance(0ms);
}

void BusHistories::disconnect()
{
    Client* client = some_client();
    if (!client)
        return;
    const auto name = client->name;
    const auto caller = client->caller;
    std::erase_if(clients_, [&](const Client& other) { return other.name == name; });
    if (name.starts_with("socket")) {
        topics_.erase(name);
        for (auto& one : all_)
            if (const auto owed = one.owed.find(name); owed != one.owed.end())
                owed->second.closed = true;
    }
    world_.disconnect(caller);
}

void BusHistories::subscribe()
{
    static const std::vector<std::string> patterns{"*", "a", "a:*", "*:b", "a:b", "b:b"};
    Client* client = some_client();
    if (!client)
        return;
    const auto& pattern = patterns[below(patterns.size())];
    if (below(3) == 0 && client->name.starts_with("w")) {
        topics_[client->name].erase(pattern);
        REQUIRE(world_.call(UnsubscribeMessages{MessageTopics{pattern}}, client->caller));
    } else {
        topics_[client->name].insert(pattern);
        REQUIRE(world_.subscribe(client->caller, {pattern}));
    }
}

void BusHistories::restart()
{
    for (auto& client : clients_)
        if (client.name.starts_with("socket"))
            topics_.erase(client.name);
    clients_.clear();
    world_.restart();
    for (auto& one : all_) {
        for (auto& [receiver, owed] : one.owed) {
            owed.attempt = 0; // tries are counted anew
            owed.closed = owed.closed || owed.socket;
            if (one.guarantee == Guarantee::at_most_once)
                owed.acked = true; // lost, as is permitted
        }
    }
}

void BusHistories::note_letters()
{
    for (const auto& letter : world_.letters()) {
        if (!letters_.insert(letter.ordinal).second)
            continue;
        Sent& one = sent(letter.sender);
        CHECK(one.id == letter.original.view());
        CHECK(one.guarantee != Guarantee::at_most_once);
        CHECK((letter.reason.view() == "EXPIRED" || letter.reason.view() == "MAX_RETRIES"));
        bool last = false;
        for (const auto& receiver : *letter.receivers) {
            INFO(one.id << " for " << receiver.view());
            Owed& owed = one.owed.at(std::string(receiver.view()));
            CHECK_FALSE(owed.acked);
            CHECK_FALSE(owed.lettered);
            last = last || !owed.socket;
            owed.lettered = true;
        }
        if (last && one.guarantee == Guarantee::exactly_once && !waits_for_workers(one))
            remembered_until_[one.id] = letter.published_at + limits().bus.dedup_window;
    }
}

/// The quota counts what somebody is still owed, no more and no less.
void BusHistories::check_quota()
{
    const auto owes = [this](const Sent& one) {
        return one.expires > world_.now && std::ranges::any_of(one.owed, [](const auto& owed) {
                   return !owed.second.acked && !owed.second.lettered && !owed.second.closed;
               });
    };
    const auto owed = static_cast<std::size_t>(std::ranges::count_if(all_, owes));
    CHECK(world_.quota().messages == owed);
}

void BusHistories::step()
{
    switch (below(12)) {
    case 0:
        connect();
        break;
    case 1:
        if (below(3) == 0)
            disconnect();
        break;
    case 2:
        subscribe();
        break;
    case 3:
        if (below(20) == 0)
            restart();
        break;
    case 4:
    case 5:
        world_.advance(std::chrono::milliseconds(below(150)));
        break;
    case 6:
    case 7:
    case 8:
        publish();
        break;
    default:
        acknowledge();
    }
    note_letters();
    check_quota();
}

void BusHistories::settle()
{
    for (const auto* name : {"w1", "w2", "w3", "w4"}) {
        std::erase_if(clients_, [&](const Client& client) { return client.name == name; });
        world_.delivering = false;
        clients_.push_back({.name = name, .caller = world_.connect(name), .unacked = {}});
        world_.delivering = true;
    }
    for (int round = 0; round < 10'000 && world_.quota().messages > 0; ++round) {
        world_.advance(1ms);
        note_letters();
        for (auto& client : clients_)
            while (!client.unacked.empty()) {
                const auto id = client.unacked.front();
                client.unacked.pop_front();
                acknowledge(client, id);
            }
    }
    CHECK(world_.quota().messages == 0);
    CHECK(world_.quota().bytes == 0);
    for (const auto& one : all_)
        for (const auto& [receiver, owed] : one.owed) {
            INFO(one.id << " for " << receiver);
            const bool lost_as_permitted = one.guarantee == Guarantee::at_most_once || owed.closed;
            CHECK((owed.acked || owed.lettered || lost_as_permitted));
            if (one.guarantee != Guarantee::at_most_once && owed.acked)
                CHECK((owed.arrived >= 1 || owed.mistaken));
        }
    const auto letters = world_.letters().size();
    std::size_t buried = 0;
    world_.on_arrival = [&](const Arrival& arrival) {
        buried += arrival.message.state == MessageState::dead && arrival.attempt == 1 ? 1 : 0;
    };
    const auto undertaker = world_.connect();
    REQUIRE(world_.subscribe(undertaker, {"dead-letter"}));
    for (std::size_t seen = 0; seen < letters;) {
        const auto arrivals = world_.arrivals(undertaker);
        REQUIRE_FALSE(arrivals.empty());
        for (const auto& arrival : arrivals)
            REQUIRE(world_.ack(undertaker, arrival.message.id));
        seen += arrivals.size();
    }
    CHECK(buried == letters);
    CHECK(world_.letters().empty());
}

} // namespace coordination::testing
