#pragma once

#include "core/bus_world.hpp"

#include <algorithm>
#include <deque>
#include <random>

namespace coordination::testing {

/// Random publications, acknowledgements, lost connections and restarts, beside a model that knows for each
/// message and receiver no more than what was promised.
class BusHistories {
public:
    explicit BusHistories(std::uint64_t seed) : world_(limits()), random_(seed)
    {
        world_.on_arrival = [this](const Arrival& arrival) { arrive(arrival); };
        world_.on_post = [this](const PostPtr&) { posted_ = true; };
    }

    void step();
    /// All come back, take everything and acknowledge it: then nothing may be owed to anybody.
    void settle();

private:
    struct Owed {
        bool acked = false;
        bool lettered = false;
        bool socket = false;
        bool closed = false;   ///< the socket has gone, and with it what it was owed
        bool mistaken = false; ///< acknowledged unseen, by who meant an earlier one of this id
        std::uint32_t arrived = 0;
        std::uint32_t attempt = 0; ///< the last one in this life of the daemon
    };
    struct Sent {
        std::string id;
        Guarantee guarantee{};
        std::uint32_t max_retries = 0;
        Timestamp expires{};
        std::map<std::string, Owed> owed; ///< by receiver
    };
    struct Client {
        std::string name; ///< of the worker, or `socket-N`
        Caller caller;
        std::deque<MessageId> unacked;
    };

    static Limits limits();
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    std::string some_worker() { return "w" + std::to_string(1 + below(4)); }
    Client* some_client() { return clients_.empty() ? nullptr : &clients_[below(clients_.size())]; }
    static bool waits_for_workers(const Sent& one)
    {
        return std::ranges::any_of(one.owed, [](const auto& owed) {
            return !owed.second.socket && !owed.second.acked && !owed.second.lettered;
        });
    }
    /// As long as this is so, its id is known.
    static bool waits(const Sent& one)
    {
        return one.guarantee != Guarantee::at_most_once &&
               std::ranges::any_of(one.owed, [](const auto& owed) {
                   return !owed.second.acked && !owed.second.lettered && !owed.second.closed;
               });
    }
    static bool matches(const std::string& pattern, const std::string& topic);

    void publish();
    void arrive(const Arrival& arrival);
    void acknowledge();
    void acknowledge(Client& client, const MessageId& id);
    void connect();
    void disconnect();
    void subscribe();
    void restart();
    void note_letters();
    void check_quota();
    Client& client_of(SessionId session);
    Sent& sent(const Text& sender);

    BusWorld world_;
    std::mt19937_64 random_;
    std::deque<Sent> all_;
    std::vector<Client> clients_;
    std::map<std::string, std::set<std::string>> topics_; ///< by subscriber
    std::set<std::string> known_;                         ///< workers that have registered
    std::map<std::string, Timestamp> remembered_until_;   ///< ids that nobody waits for any more
    std::set<Revision> letters_;
    bool posted_ = false; ///< the latest publication was handed on
};

} // namespace coordination::testing
