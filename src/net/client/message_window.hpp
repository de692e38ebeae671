#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_set>

namespace coordination::net_client {

/// Which messages of the bus are being handled or were lately, so that none is handled twice however often it
/// is delivered. Remembers the latest `ids_max` that were handled.
class MessageWindow {
public:
    explicit MessageWindow(std::size_t ids_max) : ids_max_(ids_max) {}

    enum class Arrival {
        first,   ///< to be handled
        handled, ///< to be acknowledged once more
        busy,    ///< it is being handled
    };
    Arrival arrive(const std::string& id)
    {
        if (handled_.contains(id))
            return Arrival::handled;
        return busy_.insert(id).second ? Arrival::first : Arrival::busy;
    }

    void handled(const std::string& id)
    {
        busy_.erase(id);
        if (!handled_.insert(id).second)
            return;
        order_.push_back(id);
        if (order_.size() > ids_max_) {
            handled_.erase(order_.front());
            order_.pop_front();
        }
    }

    /// Its handler failed: the next delivery is a first one.
    void failed(const std::string& id) { busy_.erase(id); }

private:
    std::size_t ids_max_;
    std::unordered_set<std::string> busy_;
    std::unordered_set<std::string> handled_;
    std::deque<std::string> order_; ///< of those handled, oldest first
};

} // namespace coordination::net_client
