#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace coordination {

enum class DeliveryGuarantee { at_most_once, at_least_once, exactly_once };

/// An id that no other message has: 128 random bits.
std::string new_message_id();

/// A message for the bus.
struct Publication {
    std::string topic; ///< may be empty where there is a recipient
    boost::json::value payload = nullptr;
    std::string priority = "normal"; ///< critical, high, normal or low
    std::string recipient = {};      ///< a worker; empty: whoever follows the topic
    DeliveryGuarantee guarantee = DeliveryGuarantee::at_least_once;
    std::optional<std::chrono::milliseconds> ttl = std::nullopt; ///< none: the daemon's default
    std::optional<std::uint32_t> max_retries = std::nullopt;     ///< likewise
    std::string message_id = new_message_id();
};

namespace net_client {

boost::json::object publish_frame(Publication publication);

} // namespace net_client

} // namespace coordination
